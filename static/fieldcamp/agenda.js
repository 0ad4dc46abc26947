// The calendar. The page has all of it as lists, by day and technician; from 900 px on they are made a grid, in which
// visits can be dragged. What is moved goes to the server, which decides; then the lists are fetched anew.
(() => {
  const wide = window.matchMedia("(min-width: 900px)");
  const library = document.currentScript.dataset.grid;
  const byId = (id) => document.getElementById(id);
  const root = byId("agenda");
  const panel = byId("agenda-panel");
  const ask = byId("agenda-ask");
  let data = null;
  let grid = null;
  let dragging = false;
  let moving = false;

  const say = (sentence) => {
    byId("agenda-said").textContent = "";
    setTimeout(() => { byId("agenda-said").textContent = sentence; }, 50);
  };
  const element = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text) made.textContent = text;
    return made;
  };

  // --- what the lists say --------------------------------------------------------------------------------------------

  const textOf = (line, name) => line.querySelector(name)?.textContent.trim() ?? "";
  const readEvents = () => {
    const events = new Map();
    for (const line of document.querySelectorAll("#agenda-days li[data-start]")) {
      const { visit, busy, start, end, person, version, minutes, panel: address } = line.dataset;
      const id = visit || busy;
      if (events.has(id)) continue; // it goes on past midnight, and stands on both days
      const badges = [...line.querySelectorAll(".fc-badge")];
      const tone = ["danger", "warning"].find((name) => badges.some((badge) => badge.classList.contains(`fc-tone-${name}`)));
      const names = [busy ? "fc-grid-busy" : "", line.classList.contains("fc-agenda-off") ? "fc-grid-off" : "",
        line.classList.contains("fc-agenda-done") ? "fc-grid-done" : "", tone ? `fc-grid-${tone}` : ""];
      events.set(id, {
        id, start, end, resourceIds: [person], editable: "movable" in line.dataset,
        title: visit ? textOf(line, ".fc-agenda-title") : textOf(line, "span"),
        classNames: names.filter(Boolean),
        extendedProps: {
          visit, version, minutes, address, when: textOf(line, ".fc-agenda-when"),
          client: textOf(line, ".fc-agenda-client"), url: line.querySelector("a")?.getAttribute("href"),
          badges: badges.map((badge) => [badge.className, badge.textContent, badge.title]),
        },
      });
    }
    return [...events.values()];
  };

  const clockOf = (text) => text.slice(11, 16);
  const wallOf = (date) => {
    const two = (number) => String(number).padStart(2, "0");
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
  };
  const minutesBetween = (start, end) => (Date.parse(`${end}Z`) - Date.parse(`${start}Z`)) / 60000;

  // --- the grid ------------------------------------------------------------------------------------------------------

  const eventContent = ({ event }) => {
    const props = event.extendedProps;
    const inside = element("div", "fc-grid-event");
    const { when } = props;
    if (props.visit) {
      inside.append(element("span", "fc-grid-when", when), element("span", "fc-grid-title", event.title));
      inside.append(element("span", "fc-grid-client", props.client));
      for (const [name, text, why] of props.badges) {
        const badge = element("span", name, text);
        if (why) badge.title = why;
        inside.append(badge);
      }
    } else {
      inside.append(element("span", "", event.title));
    }
    inside.title = [when, event.title, props.client].filter(Boolean).join(" · ");
    return { domNodes: [inside] };
  };

  const personLabel = ({ resource }) => {
    const { note, mark, tone, why } = resource.extendedProps;
    const label = element("div", `fc-grid-person${mark ? ` fc-grid-edge fc-grid-edge-${tone}` : ""}`);
    label.append(element("b", "", resource.title));
    if (note) label.append(element("span", "fc-muted", note));
    if (mark) {
      const badge = element("span", `fc-badge fc-tone-${tone}`, mark);
      badge.title = why;
      label.append(badge);
    }
    return { domNodes: [label] };
  };

  // The library's roles are those of a table that it does not make; the lists are what a screen reader has instead.
  const mend = () => {
    const place = byId("agenda-grid");
    for (const each of place.querySelectorAll("[role]:not([role=button])")) each.removeAttribute("role");
    for (const each of place.querySelectorAll("*")) {
      for (const { name } of [...each.attributes]) {
        if (/^aria-(col|row)/.test(name)) each.removeAttribute(name);
      }
    }
    const main = place.querySelector(".ec-main");
    if (main && !main.hasAttribute("tabindex")) {
      main.tabIndex = 0;
      main.setAttribute("role", "region");
      main.setAttribute("aria-label", data.words.scroll);
    }
    for (const each of place.querySelectorAll(".fc-grid-busy")) {
      each.removeAttribute("tabindex");
      each.removeAttribute("role");
    }
  };
  const mendSoon = () => requestAnimationFrame(mend);

  const options = () => ({
    view: data.view === "day" ? "resourceTimelineDay" : "resourceTimelineMonth",
    views: {
      resourceTimelineMonth: { duration: { days: 7 }, eventDurationEditable: false, slotWidth: 150 },
      resourceTimelineDay: { slotDuration: "01:00", snapDuration: "00:15", slotWidth: 100, scrollTime: "07:00" },
    },
    date: data.first, firstDay: 1, headerToolbar: { start: "", center: "", end: "" },
    customScrollbars: false, nowIndicator: false, locale: document.documentElement.lang || "en",
    slotLabelFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
    dayHeaderFormat: (date) => data.days[wallOf(date).slice(0, 10)] ?? "", monthHeaderFormat: () => "",
    resources: data.people.map(({ id, title, ...more }) => ({ id, title, extendedProps: more })),
    events: readEvents(), eventContent, resourceLabelContent: personLabel, eventBackgroundColor: "transparent",
    editable: true, eventResizableFromStart: false, dragScroll: true, highlightedDates: [data.now.slice(0, 10)],
    eventClick: ({ event, jsEvent }) => { if (event.extendedProps.visit) open(event.extendedProps, jsEvent); },
    eventDragStart: () => { dragging = true; }, eventDragStop: () => { dragging = false; mendSoon(); },
    eventResizeStart: () => { dragging = true; }, eventResizeStop: () => { dragging = false; mendSoon(); },
    eventDrop: (info) => moved(info), eventResize: (info) => moved(info),
    viewDidMount: mendSoon, datesSet: mendSoon, eventAllUpdated: mendSoon,
  });

  const load = () => new Promise((done, failed) => {
    if (window.EventCalendar) { done(); return; }
    const script = element("script");
    script.src = library;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });

  const draw = async () => {
    data = JSON.parse(byId("agenda-grid-data").textContent);
    const place = byId("agenda-grid");
    const on = wide.matches && data.view !== "list" && data.people.length > 0;
    if (on) await load();
    if (grid) { window.EventCalendar.destroy(grid); grid = null; }
    root.classList.toggle("fc-agenda-on", on);
    place.hidden = !on;
    if (on) {
      place.style.setProperty("--fc-rows", data.people.length);
      grid = window.EventCalendar.create(place, options());
      mendSoon();
    }
  };

  // --- the server ----------------------------------------------------------------------------------------------------

  const send = (address, fields) => {
    const body = new FormData(byId("agenda-token"));
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return fetch(address, { method: "POST", body, headers: { Accept: "application/json" }, credentials: "same-origin" });
  };

  const refresh = async () => {
    const answer = await fetch(location.href, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (answer.status === 204) { location.reload(); return; }
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const at = byId("agenda-grid").querySelector(".ec-main");
    const [left, top] = at ? [at.scrollLeft, at.scrollTop] : [0, 0];
    const focused = document.activeElement?.closest("[data-event]")?.dataset.event;
    for (const id of ["agenda-last", "agenda-data"]) {
      const made = fresh.getElementById(id);
      if (made) byId(id).replaceWith(document.adoptNode(made));
    }
    if (grid) { window.EventCalendar.destroy(grid); grid = null; }
    await draw();
    const now = byId("agenda-grid").querySelector(".ec-main");
    if (now) now.scrollTo(left, top);
    if (focused) document.querySelector(`[data-event="${CSS.escape(focused)}"]`)?.focus();
  };

  const asked = (answer) => new Promise((done) => {
    byId("agenda-ask-list").replaceChildren(...answer.overlaps.map((text) => element("li", "", text)));
    ask.returnValue = "back";
    ask.addEventListener("close", () => done(ask.returnValue === "all-the-same"), { once: true });
    ask.showModal();
  });

  const moved = async (info) => {
    const props = info.event.extendedProps;
    const start = wallOf(info.event.start);
    const end = wallOf(info.event.end);
    await move(props, {
      day: start.slice(0, 10), time: clockOf(start), technician: info.event.resourceIds[0],
      // By how much it was made longer: at a change of the clock the wall's minutes are not those that pass.
      minutes: info.endDelta ? Number(props.minutes) + minutesBetween(wallOf(info.oldEvent.end), end) : props.minutes,
      version: props.version,
    }, info.revert);
  };

  const move = async (props, fields, revert) => {
    moving = true;
    try {
      const address = `${props.address}move/`;
      let answer = await send(address, fields);
      let told = await answer.json();
      if (answer.status === 409 && told.seen) {
        if (await asked(told)) {
          answer = await send(address, { ...fields, seen: told.seen });
          told = await answer.json();
        } else {
          revert();
          mendSoon();
          return;
        }
      }
      if (!answer.ok) revert();
      await refresh();
      say(told.sentence);
      if (!answer.ok) show(told.sentence);
    } catch {
      revert();
      show(data.words.failed);
      say(data.words.failed);
    } finally {
      moving = false;
    }
  };

  const show = (sentence) => {
    const note = element("div", "fc-note fc-tone-danger", sentence);
    byId("agenda-last").replaceChildren(note);
  };

  // --- the panel -----------------------------------------------------------------------------------------------------

  const fill = async (answer) => {
    if (answer.status === 204) { location.reload(); return; }
    // What is no panel (the visit is gone, the right has been taken away) is shown as the page that it is.
    if (!answer.ok && ![400, 409, 412].includes(answer.status)) throw new Error(String(answer.status));
    byId("agenda-panel-inside").innerHTML = await answer.text();
    if (!panel.open) panel.showModal();
    byId("agenda-visit-title")?.focus();
  };

  const open = async (props, event) => {
    event?.preventDefault();
    try {
      const next = encodeURIComponent(location.pathname + location.search);
      const answer = await fetch(`${props.address}?next=${next}`, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      await fill(answer);
    } catch {
      location.assign(props.url);
    }
  };

  // Its form is posted as it is without a script: what is refused comes back as the panel, what is done as the page.
  panel.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[action]");
    if (!form || form.method !== "post") return;
    event.preventDefault();
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" }, credentials: "same-origin" });
      if (answer.redirected) {
        panel.close();
        await refresh();
        say(byId("agenda-last").querySelector("p")?.textContent ?? "");
      } else {
        await fill(answer);
      }
    } catch {
      form.submit();
    }
  });

  document.addEventListener("submit", async (event) => {
    if (event.target.id !== "agenda-undo") return;
    event.preventDefault();
    try {
      const answer = await send(event.target.action, {});
      const told = await answer.json();
      await refresh();
      say(told.sentence);
      if (!answer.ok) show(told.sentence);
    } catch {
      event.target.submit();
    }
  });

  // In the lists, too, a visit opens its panel.
  root.addEventListener("click", (event) => {
    const link = event.target.closest("#agenda-days a.fc-agenda-title");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    open({ address: link.closest("li").dataset.panel, url: link.href }, event);
  });

  // --- keys ----------------------------------------------------------------------------------------------------------

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const here = event.target.closest(".ec-event");
    if (here && step) {
      const all = [...byId("agenda-grid").querySelectorAll(".ec-event[tabindex]")];
      all[all.indexOf(here) + step]?.focus();
      event.preventDefault();
    } else if (event.key === "t") {
      byId("agenda-today").click();
    } else if (event.target === document.body && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      byId(event.key === "ArrowLeft" ? "agenda-previous" : "agenda-next").click();
    }
  });

  // --- go ------------------------------------------------------------------------------------------------------------

  wide.addEventListener("change", () => draw());
  setInterval(() => {
    const quiet = !dragging && !moving && !document.hidden && !document.querySelector("dialog[open]");
    if (quiet) refresh().catch(() => {});
  }, 60000);
  draw().catch(() => { root.classList.remove("fc-agenda-on"); byId("agenda-grid").hidden = true; });
})();
