// Keeps "4 min ago" true while a page is open; the words and the server's clock come with the page ({% clock %}).
const words = JSON.parse(document.getElementById("fc-clock").textContent);
const late = words.server - Date.now() / 1000;
const tell = (seconds) => {
  const distance = Math.abs(seconds);
  for (const [size, unit] of words.units) {
    if (distance < size) continue;
    const length = unit.replace("{number}", Math.floor(distance / size));
    return (seconds > 0 ? words.past : words.future).replace("{length}", length);
  }
  return seconds >= 0 ? words.now : words.soon;
};
const tick = () => {
  const now = Date.now() / 1000 + late;
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = now - Date.parse(time.dateTime) / 1000;
    if (Math.abs(seconds) >= words.until) continue;
    const text = tell(seconds);
    if (time.textContent !== text) time.textContent = text;
  }
};
setInterval(tick, 5000);
