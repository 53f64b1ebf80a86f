// What a page does beyond links and forms. Everything works on attributes, so that parts that arrive later work as well.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (event, selector, run) =>
    document.addEventListener(event, (e) => {
      const target = e.target.closest?.(selector);
      if (target) run(e, target);
    });

  // Moments in the reader's zone; a day of the calendar is the same in all of them.
  // Of this year the year is not said; all of a moment is in its title.
  const write = (how) =>
    [{}, { year: "numeric" }].map((year) => new Intl.DateTimeFormat(undefined, { ...year, month: "short", day: "numeric", ...how }));
  const clock = { hour: "numeric", minute: "2-digit" };
  const shown = {
    day: write({ timeZone: "UTC" }),
    date: write({}),
    exact: write({ ...clock, second: "2-digit" }),
    moment: write(clock),
  };
  const thisYear = new Date().getFullYear();
  const localise = () => {
    for (const time of $$("time[datetime]:not([data-local])")) {
      const at = new Date(time.getAttribute("datetime"));
      time.dataset.local = "";
      if (Number.isNaN(at.getTime())) continue;
      const [short, long] = shown[time.dataset.shows ?? "moment"];
      time.textContent = (at.getFullYear() === thisYear ? short : long).format(at);
    }
  };

  // A page that waits for somebody else looks again by itself, as long as somebody looks at it.
  const waits = $("[data-look-again]");
  const look = () => (document.hidden ? setTimeout(look, 1000) : location.reload());
  if (waits) setTimeout(look, 1000 * Number(waits.dataset.lookAgain));

  // Light, dark, or as the system says; rows calm or dense.
  const chosen = (name, otherwise) => {
    try {
      return localStorage.getItem(name) ?? otherwise;
    } catch {
      return otherwise;
    }
  };
  const press = () => {
    for (const button of $$("button[data-theme]"))
      button.setAttribute("aria-pressed", String(button.dataset.theme === chosen("theme", "system")));
    for (const button of $$("button[data-density]"))
      button.setAttribute("aria-pressed", String(button.dataset.density === chosen("density", "calm")));
  };
  const choose = (name, value) => {
    try {
      localStorage.setItem(name, value);
    } catch {
      // A browser that keeps nothing shows the choice until the next page.
    }
    dispatchEvent(new Event("fulmar:chosen"));
    press();
  };
  on("click", "button[data-theme]", (_, b) => choose("theme", b.dataset.theme));
  on("click", "button[data-density]", (_, b) => choose("density", b.dataset.density));

  // Dialogs, menus, copies, toasts.
  on("click", "[data-opens]", (_, b) => {
    b.closest("details.menu")?.removeAttribute("open");
    document.getElementById(b.dataset.opens)?.showModal();
  });
  on("click", "dialog", (e, dialog) => {
    if (e.target === dialog) dialog.close();
  });
  document.addEventListener("click", (e) => {
    for (const open of $$("details.menu[open], details.filter-more[open]"))
      if (!open.contains(e.target)) open.removeAttribute("open");
  });
  const say = (text) => {
    const note = document.createElement("div");
    note.className = "toast-note";
    note.textContent = text;
    $("#toasts")?.append(note);
    setTimeout(() => note.remove(), 4000);
  };
  on("click", "[data-copy]", async (_, b) => {
    try {
      await navigator.clipboard.writeText(b.dataset.copy);
      say("Copied");
    } catch {
      say("The browser does not let this page copy");
    }
  });
  on("click", "[data-dismiss]", (_, b) => b.closest(".toast-note")?.remove());

  // Ticks.
  const count = (form) => {
    const boxes = $$("tbody .col-tick input", form);
    const ticked = boxes.filter((b) => b.checked).length;
    const all = $("[data-tick-all]", form);
    if (all) {
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
    const output = $(".bulk-count", form);
    if (output) output.textContent = `${ticked} ticked`;
  };
  let last = null;
  on("click", "[data-bulk] tbody .col-tick input", (e, box) => {
    const boxes = $$("tbody .col-tick input", box.form);
    if (e.shiftKey && last && boxes.includes(last)) {
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
      for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
    }
    last = box;
  });
  on("change", "[data-bulk]", (e, form) => {
    if (e.target.matches("[data-tick-all]"))
      for (const box of $$("tbody .col-tick input", form)) box.checked = e.target.checked;
    count(form);
  });
  on("click", "[data-tick-near]", (_, b) => {
    const boxes = $$("input[type=checkbox]", b.closest("[data-ticks]"));
    const all = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !all;
  });
  // A box that leaves of a list of choices those that hold its text: data-narrow="id".
  on("input", "[data-narrow]", (_, box) => {
    const text = box.value.trim().toLowerCase();
    for (const choice of $$("label", document.getElementById(box.dataset.narrow)))
      choice.hidden = !choice.textContent.toLowerCase().includes(text);
  });
  on("reset", "[data-bulk]", (_, form) => setTimeout(() => count(form)));

  // A choice that fills other fields of its form in: data-fill="name=value&…".
  on("change", "[data-fill]", (_, choice) => {
    for (const [name, value] of new URLSearchParams(choice.dataset.fill)) {
      const field = choice.form?.elements.namedItem(name);
      if (field) field.value = value;
    }
  });

  // Keys that come while a scan is looked up: a scanner types the next code meanwhile, and it belongs where the cursor goes then.
  let held = null;
  document.addEventListener(
    "keydown",
    (e) => {
      if (!held || e.ctrlKey || e.metaKey || e.altKey || (e.key !== "Enter" && e.key.length !== 1)) return;
      held.push(e.key);
      e.preventDefault();
      e.stopImmediatePropagation();
    },
    true,
  );
  const replay = () => {
    const keys = held ?? [];
    held = null;
    while (keys.length) {
      const key = keys.shift();
      const at = document.activeElement;
      if (key === "Enter") {
        at.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        if (held) return held.unshift(...keys);
      } else if (typing({ target: at })) {
        if (at.selectionStart === null) at.value += key;
        else at.setRangeText?.(key, at.selectionStart, at.selectionEnd, "end");
        at.dispatchEvent(new InputEvent("input", { bubbles: true }));
      }
    }
  };

  // Boxes that look up while one types: search, and data-combobox. With `settle`, Enter takes the one thing that a text can mean.
  const lookUp = (box, { list, source, pick, settle }) => {
    let asked = 0;
    let timer;
    const options = () => $$("[role=option]:not([aria-disabled])", list);
    const at = () => options().findIndex((o) => o.getAttribute("aria-selected") === "true");
    const close = () => {
      clearTimeout(timer);
      asked++;
      list.hidden = true;
      box.setAttribute("aria-expanded", "false");
      box.removeAttribute("aria-activedescendant");
    };
    const mark = (index) => {
      const all = options();
      all.forEach((o, i) => o.setAttribute("aria-selected", String(i === index)));
      const marked = all[index];
      if (!marked) return;
      marked.id ||= `${list.id}-${index}`;
      box.setAttribute("aria-activedescendant", marked.id);
      marked.scrollIntoView({ block: "nearest" });
    };
    const ask = async () => {
      const mine = ++asked;
      const text = box.value.trim();
      if (!text) return close();
      const url = new URL(source, location.href);
      url.searchParams.set("q", text);
      const answer = await fetch(url, { headers: { "HX-Request-Type": "partial" } }).catch(() => null);
      // An answer that was overtaken says nothing about what stands in the box now.
      if (mine !== asked || !answer?.ok || document.activeElement !== box) return false;
      list.innerHTML = await answer.text();
      list.hidden = list.children.length === 0;
      box.setAttribute("aria-expanded", String(!list.hidden));
      return true;
    };
    const enter = async () => {
      clearTimeout(timer);
      held = [];
      try {
        const answered = await ask();
        const found = answered ? options() : [];
        const exact = found.filter((o) => "exact" in o.dataset);
        const [only] = exact.length === 1 ? exact : found.length === 1 ? found : [];
        if (only) pick(only, close);
        if (only || !answered) settle.taken(answered);
        // What comes next replaces what nothing is known of.
        else if (document.activeElement === box) box.select();
      } finally {
        replay();
      }
    };
    box.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 120);
    });
    box.addEventListener("keydown", (e) => {
      const many = list.hidden ? 0 : options().length;
      const marked = many ? options()[at()] : null;
      if (e.key === "Enter" && (e.ctrlKey || e.metaKey || e.isComposing)) return;
      if (e.key === "Enter" && marked) {
        pick(marked, close);
        settle?.taken(true);
      } else if (e.key === "Enter" && settle?.open()) enter();
      else if (!many) return;
      else if (e.key === "ArrowDown") mark((at() + 1) % many);
      else if (e.key === "ArrowUp") mark((at() + many - 1) % many);
      else if (e.key === "Escape") close();
      else return;
      e.preventDefault();
      e.stopPropagation();
    });
    box.addEventListener("blur", () => setTimeout(() => document.activeElement !== box && close(), 150));
    list.addEventListener("mousedown", (e) => {
      const option = e.target.closest("[role=option]:not([aria-disabled])");
      e.preventDefault();
      if (option) pick(option, close);
    });
  };
  const comboboxes = () => {
    for (const root of $$("[data-combobox]:not([data-ready])")) {
      root.dataset.ready = "";
      const box = $("[role=combobox]", root);
      const hidden = $("input[type=hidden]", root);
      const free = root.hasAttribute("data-free");
      let chosen = hidden.value !== "";
      lookUp(box, {
        list: $("[role=listbox]", root),
        source: box.dataset.source,
        pick: (option, close) => {
          box.value = option.dataset.shown;
          hidden.value = option.dataset.value;
          chosen = true;
          close();
          for (const event of ["change", "chosen"]) hidden.dispatchEvent(new Event(event, { bubbles: true }));
        },
        settle: {
          // Whether Enter has something to find out; in a long form it goes on from what was chosen as well.
          open: () => box.value.trim() !== "" && (!chosen || !!box.form?.matches("[data-long]")),
          // The server reads what was typed by itself, where it may be sent.
          taken: (answered) => (answered || free) && box.dispatchEvent(new Event("fulmar:taken", { bubbles: true })),
        },
      });
      // What was typed after choosing is not what was chosen.
      box.addEventListener("input", () => {
        chosen = false;
        hidden.value = free ? box.value : "";
      });
    }
  };
  const search = $("#search");
  if (search) {
    const list = document.createElement("ul");
    Object.assign(list, { id: "search-list", className: "combobox-list", hidden: true });
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Found");
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-expanded": "false",
      "aria-autocomplete": "list",
      "aria-controls": list.id,
    }))
      search.setAttribute(name, value);
    search.closest("form").append(list);
    lookUp(search, { list, source: "/search?part=list", pick: (o) => location.assign(o.dataset.href) });
  }

  // Keys.
  const typing = (e) =>
    e.target.isContentEditable ||
    (e.target.matches?.("input, textarea, select") && !e.target.matches("[type=checkbox], [type=radio], [type=button]"));
  const links = () => $$("[data-rows] .row-link").filter((l) => l.offsetParent);
  const move = (by) => {
    const all = links();
    const here = all.indexOf(document.activeElement.closest("tr")?.querySelector(".row-link"));
    const next = all[here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + by, 0), all.length - 1)];
    next?.focus();
    next?.closest("tr").scrollIntoView({ block: "nearest" });
  };
  const row = () => document.activeElement.closest("tr");
  let going = 0;
  const simple = {
    "/": () => search?.focus(),
    "?": () => $("#keys")?.showModal(),
    j: () => move(1),
    k: () => move(-1),
    x: () => row()?.querySelector(".col-tick input")?.click(),
    o: () => row()?.querySelector(".row-link")?.click(),
    f: () => $("[data-filter]")?.focus(),
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    if (e.key === "Escape") {
      const open = $("details.menu[open], details.filter-more[open]");
      if (open) {
        open.removeAttribute("open");
        $("summary", open)?.focus();
      } else if (typing(e)) e.target.blur();
      return;
    }
    if (typing(e) || $("dialog[open]")) return;
    if (Date.now() - going < 1200) {
      going = 0;
      const link = $(`[data-go="${CSS.escape(e.key)}"]`);
      if (link) {
        e.preventDefault();
        link.click();
      }
      return;
    }
    if (e.key === "g") {
      going = Date.now();
      return;
    }
    const run = simple[e.key];
    const own = $$("[data-key]").find((el) => el.dataset.key === e.key && el.offsetParent);
    if (!own && !run) return;
    e.preventDefault();
    if (own) own.click();
    else run();
  });

  const fresh = () => {
    localise();
    comboboxes();
    for (const form of $$("[data-bulk]")) count(form);
  };
  fresh();
  press();
  document.addEventListener("htmx:after:swap", fresh);
  document.addEventListener("fulmar:fresh", fresh);
})();
