"""How often rollouts are judged wrongly, and after how much they are judged rightly."""
