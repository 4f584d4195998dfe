// A click on one of your models adds it to the members.

const form = document.querySelector("[data-ensemble]");
const members = form.elements.members;

for (const button of form.querySelectorAll("[data-member]")) {
  button.addEventListener("click", () => {
    const lines = members.value.split("\n").filter((line) => line.trim() !== "");
    members.value = [...lines, button.dataset.member].join("\n");
    members.focus();
  });
}
