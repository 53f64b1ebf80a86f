// Parts marked data-live="topics" show themselves anew when something happens; see crates/web/src/live.rs.
(() => {
  "use strict";
  const PAUSE = 800; // Between two refreshes of one part: a burst of events is one.
  let morph;
  htmx.registerExtension("fulmar-live", { init: (api) => (morph = api.morph) });

  const parts = () => [...document.querySelectorAll("[data-live][id]")];
  const topicsOf = (part) => part.dataset.live.split(/\s+/).filter(Boolean);
  const due = new Set();
  let timer;

  // Whoever types, chooses or reads a dialog is not disturbed; the refresh waits.
  const busy = (part) => {
    if (document.hidden || document.querySelector("dialog[open]")) return true;
    if (part.querySelector("details.menu[open], details.filter-more[open], .htmx-request")) return true;
    const at = document.activeElement;
    if (part.contains(at) && at.matches("input:not([type=checkbox]):not([type=radio]), textarea, select")) return true;
    return [...part.querySelectorAll("input, textarea, select")].some(changed);
  };
  const changed = (field) => {
    if (field.type === "hidden" || field.closest(".col-tick, .combobox")) return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.tagName === "SELECT") {
      const initial = [...field.options].findIndex((o) => o.defaultSelected);
      return field.selectedIndex !== Math.max(initial, 0);
    }
    return field.value !== field.defaultValue;
  };

  // The rows of a list have no memory of their own: what was ticked, opened and focused is put back by name.
  const remember = (part) => {
    const ticked = new Set([...part.querySelectorAll(".col-tick input:checked")].map((b) => b.value));
    const open = new Set([...part.querySelectorAll("details[open] > summary")].map((s) => s.textContent));
    const at = part.contains(document.activeElement) ? document.activeElement : null;
    const href = at?.getAttribute("href");
    return () => {
      for (const box of part.querySelectorAll("tbody .col-tick input")) box.checked = ticked.has(box.value);
      for (const summary of part.querySelectorAll("details > summary"))
        if (open.has(summary.textContent)) summary.parentElement.open = true;
      if (at && document.activeElement !== at && href)
        part.querySelector(`a[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
    };
  };

  // A form that was refused leaves its own address behind, which answers no GET: the page that it was sent from is what is watched.
  const refused = performance.getEntriesByType("navigation")[0]?.responseStatus >= 400;
  const here = () => (refused && document.referrer.startsWith(`${location.origin}/`) ? document.referrer : location.href);

  const refresh = async (part) => {
    if (part.hasAttribute("hx-get")) return htmx.trigger(part, "live");
    const answer = await fetch(here(), { headers: { "HX-Request-Type": "full" } }).catch(() => null);
    // Signed out, gone, or down: the page stays as it is, and the next news tries again.
    if (!answer?.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(part.id);
    if (!fresh || busy(part)) return due.add(part.id);
    const back = remember(part);
    const fragment = document.createDocumentFragment();
    fragment.append(...fresh.childNodes);
    morph(part, fragment, true);
    back();
    dispatch(part);
  };
  const dispatch = (part) => {
    document.dispatchEvent(new Event("fulmar:fresh"));
    part.dispatchEvent(new Event("fulmar:refreshed", { bubbles: true }));
  };

  const soon = (wait = PAUSE) => {
    timer ??= setTimeout(async () => {
      timer = undefined;
      const waiting = [...due];
      due.clear();
      for (const id of waiting) {
        const part = document.getElementById(id);
        if (!part) continue;
        if (busy(part)) due.add(id);
        else await refresh(part);
      }
      if (due.size) soon(2000);
    }, wait);
  };
  const news = (topics) => {
    for (const part of parts()) if (!topics || topicsOf(part).some((t) => topics.has(t))) due.add(part.id);
    if (due.size) soon();
  };

  let source;
  let hearing = "";
  let lost = false;
  // A browser has six connections to a server for all of its tabs: only those that are looked at listen.
  const AWAY = 3000;
  let away;
  const deaf = () => {
    source?.close();
    source = undefined;
    hearing = "";
    lost = true;
    delete document.documentElement.dataset.hearing;
  };
  const listen = () => {
    if (document.hidden) return;
    const topics = [...new Set(parts().flatMap(topicsOf))].sort().join(" ");
    if (topics === hearing && source?.readyState !== EventSource.CLOSED) return;
    source?.close();
    hearing = topics;
    if (!topics) return;
    source = new EventSource(`/live?topics=${encodeURIComponent(topics)}`);
    source.addEventListener("hello", () => {
      document.documentElement.dataset.hearing = topics;
      if (lost) news();
      lost = false;
    });
    source.addEventListener("changed", (e) => news(new Set(e.data.split(" "))));
    source.addEventListener("error", () => {
      lost = true;
      // The browser tries again by itself unless the answer was no stream: then a while later.
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 10000);
    });
  };
  addEventListener("pagehide", deaf);
  addEventListener("pageshow", (e) => e.persisted && listen());
  document.addEventListener("visibilitychange", () => {
    clearTimeout(away);
    if (document.hidden) away = setTimeout(deaf, AWAY);
    else listen();
    if (!document.hidden && due.size) soon(50);
  });
  document.addEventListener("htmx:after:swap", listen);
  listen();
})();
