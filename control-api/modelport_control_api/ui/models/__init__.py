"""The pages about models: dashboard, list, upload, one model, batch jobs and history."""
