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
// Nor does it label the fields of a table's rows: the column's name says what they are.
const nameCells = () => {
  for (const cell of document.querySelectorAll("td[data-label]")) {
    const unnamed = "input:not([type=hidden], [aria-label]), textarea:not([aria-label]), select:not([aria-label])";
    for (const field of cell.querySelectorAll(unnamed)) {
      if (!field.labels?.length) field.setAttribute("aria-label", cell.dataset.label);
    }
    for (const box of cell.querySelectorAll(".select2-selection[role=combobox]:not([data-named])")) {
      box.dataset.named = "";
      box.removeAttribute("aria-labelledby");
      box.setAttribute("aria-label", `${cell.dataset.label}: ${box.textContent.trim()}`);
      box.querySelector("[role=textbox]")?.setAttribute("aria-label", cell.dataset.label);
    }
  }
};
nameCells();
new MutationObserver(nameCells).observe(document, { childList: true, subtree: true });
