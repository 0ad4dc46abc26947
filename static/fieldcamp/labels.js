// The theme's search boxes (select2) say nothing of their field's label, so a screen reader cannot name them.
const nameBoxes = () => {
  for (const box of document.querySelectorAll(".select2-selection[role=combobox]:not([data-named])")) {
    const field = box.closest(".select2").previousElementSibling;
    const label = field && document.querySelector(`label[for="${field.id}"]`);
    if (!label) continue;
    label.id ||= `${field.id}_label`;
    box.dataset.named = "";
    box.setAttribute("aria-labelledby", `${label.id} ${box.getAttribute("aria-labelledby") ?? ""}`.trim());
    box.querySelector("[role=textbox]")?.setAttribute("aria-labelledby", label.id);
  }
};
new MutationObserver(nameBoxes).observe(document, { childList: true, subtree: true });
