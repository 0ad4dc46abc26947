// Drag an event to another hour of the week grid. Without scripts the event's own page has a form for it.
const week = document.getElementById("week");

week.addEventListener("dragstart", (drag) => {
  const event = drag.target.closest("[data-event-id]");
  drag.dataTransfer.setData("application/json", JSON.stringify({ ...event.dataset }));
});

for (const slot of week.querySelectorAll("[data-slot]")) {
  slot.addEventListener("dragover", (drag) => {
    drag.preventDefault();
    slot.classList.add("over");
  });
  slot.addEventListener("dragleave", () => slot.classList.remove("over"));
  slot.addEventListener("drop", async (drag) => {
    drag.preventDefault();
    const dropped = JSON.parse(drag.dataTransfer.getData("application/json"));
    const start = `${slot.dataset.slot}:${dropped.minute}`;
    const body = new URLSearchParams({ action: "move", event: dropped.eventId, start });
    await fetch(week.dataset.action, { method: "POST", body });
    location.reload();
  });
}
