// Shares of the traffic: moving one slider takes from or gives to the others, so that the sum stays 100.

for (const form of document.querySelectorAll("[data-traffic]")) start(form);

function start(form) {
  const sliders = [...form.querySelectorAll("input[type=range]")];
  for (const slider of sliders) {
    slider.addEventListener("input", () => {
      balance(sliders, slider);
      show(form, sliders);
    });
  }
  form.addEventListener("reset", () => requestAnimationFrame(() => show(form, sliders)));
  show(form, sliders);
}

function balance(sliders, moved) {
  const others = sliders.filter((slider) => slider !== moved);
  if (others.length === 0) {
    moved.value = 100;
    return;
  }
  const left = 100 - Number(moved.value);
  const before = others.reduce((sum, slider) => sum + Number(slider.value), 0);
  let given = 0;
  others.forEach((slider, index) => {
    const isLast = index === others.length - 1;
    const share = before === 0 ? left / others.length : (Number(slider.value) / before) * left;
    slider.value = isLast ? left - given : Math.floor(share);
    given += Number(slider.value);
  });
}

function show(form, sliders) {
  for (const slider of sliders) {
    form.querySelector(`output[for="${CSS.escape(slider.id)}"]`).textContent = `${slider.value} %`;
  }
  const changed = sliders.some((slider) => slider.value !== slider.defaultValue);
  for (const button of form.querySelectorAll("[data-when-changed]")) button.disabled = !changed;
}
