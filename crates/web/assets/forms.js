// Forms that people type much into. Everything works on attributes:
// data-lines: lines of one kind; the next one is made of the template, and a scan in one goes on to the next.
// data-long: Enter goes on instead of sending; Ctrl+Enter sends.
// data-keep: what was typed survives leaving the page and signing in again, until the form was accepted.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const shown = (e) => e.checkVisibility({ visibilityProperty: true });

  // Lines.
  const addLine = (lines) => {
    const template = $(":scope > template", lines);
    const n = $$(":scope > [data-line]", lines).length;
    if (n >= Number(lines.dataset.most)) return null;
    const made = template.innerHTML.replaceAll("line0", String(n)).replaceAll("line1", String(n + 1));
    template.insertAdjacentHTML("beforebegin", made);
    document.dispatchEvent(new Event("fulmar:fresh"));
    return template.previousElementSibling;
  };
  const boxOf = (line) => $("[role=combobox]", line) ?? $("input:not([type=hidden])", line);
  const nextLine = (line) => {
    const lines = line.parentElement;
    const all = $$(":scope > [data-line]", lines);
    const empty = all.slice(all.indexOf(line) + 1).find((l) => boxOf(l).value.trim() === "");
    return empty ?? addLine(lines);
  };
  // The next field, rather one that is like this.
  const nextField = (field, like = () => true) => {
    const all = $$("input:not([type=hidden]), select, textarea, button", field.form).filter(
      (e) => e === field || (e.tabIndex >= 0 && !e.disabled && shown(e)),
    );
    const after = all.slice(all.indexOf(field) + 1);
    (after.find(like) ?? after[0])?.focus();
  };
  document.addEventListener("fulmar:taken", (e) => {
    const line = e.target.closest("[data-line]");
    const next = line && nextLine(line);
    if (next) boxOf(next).focus();
    else nextField(e.target, (field) => field.matches("input") && field.value === "");
  });
  document.addEventListener("click", (e) => {
    const more = e.target.closest?.("button[data-more]");
    if (!more) return;
    e.preventDefault();
    const line = addLine(document.getElementById(more.dataset.more));
    if (line) boxOf(line).focus();
  });

  // Long forms.
  document.addEventListener("keydown", (e) => {
    const form = e.target.form;
    if (e.key !== "Enter" || e.isComposing || !form?.matches?.("[data-long]")) return;
    if (e.ctrlKey || e.metaKey) {
      e.preventDefault();
      form.requestSubmit($("[data-sends]", form) ?? $$("button[type=submit].btn-primary", form).at(-1));
    } else if (!e.defaultPrevented && e.target.matches("input")) {
      e.preventDefault();
      nextField(e.target);
    }
  });

  // The first field that is wrong has the cursor.
  const wrong = $$("form[method=post] .is-invalid").find((e) => {
    const fold = e.closest("details:not(.menu)");
    if (fold) fold.open = true;
    return shown(e);
  });
  if (wrong) {
    wrong.focus({ preventScroll: true });
    wrong.scrollIntoView({ block: "center" });
  }

  // What was typed, kept by this tab.
  const who = document.body.dataset.who ?? "";
  const slotOf = (form) => `keep:${who}:${location.pathname}${location.search}:${form.getAttribute("action") ?? ""}`;
  const storage = (run) => {
    try {
      return run(sessionStorage);
    } catch {
      // A browser that keeps nothing: then a form is as lost as its page.
      return null;
    }
  };
  const slots = (s) => Object.keys(s).filter((name) => name.startsWith("keep:"));
  // With what was typed goes what it was typed for: sent twice it counts once, and what changed meanwhile is not written over.
  const own = ["once", "version"];
  // Never what lets somebody in or pays; and not how many lines there are, which follows from them.
  const keeps = (form, e) => {
    if (!e.matches("input, select, textarea") || ["password", "file"].includes(e.type)) return false;
    if (/one-time-code|password|cc-/.test(e.autocomplete) || form.dataset.keepNot?.split(" ").includes(e.name)) return false;
    return e.name ? e.type !== "hidden" || own.includes(e.name) || !!e.closest(".combobox") : e.matches("[role=combobox]");
  };
  const ticks = (e) => e.type === "checkbox" || e.type === "radio";
  // A box that is not sent has its id only.
  const keyOf = (e) => (ticks(e) ? `${e.name}=${e.value}` : e.name || `#${e.id}`);
  const valueOf = (e) => (ticks(e) ? e.checked : e.value);
  const read = (form) => Object.fromEntries([...form.elements].filter((e) => keeps(form, e)).map((e) => [keyOf(e), valueOf(e)]));
  const save = (form, sent = false) =>
    storage((s) => s.setItem(slotOf(form), JSON.stringify({ fields: read(form), sent })));
  const restore = (form) => {
    const kept = storage((s) => JSON.parse(s.getItem(slotOf(form))));
    if (!kept) return;
    const has = (line) => [...line.querySelectorAll("[name]")].some((e) => e.name in kept.fields);
    for (const lines of $$("[data-lines]", form)) {
      // One more than were kept is made and taken away again: only its names say that there is none.
      for (let last = addLine(lines); last; last = addLine(lines))
        if (!has(last)) {
          last.remove();
          break;
        }
    }
    let changed = false;
    for (const e of form.elements) {
      const value = keeps(form, e) ? kept.fields[keyOf(e)] : undefined;
      if (value === undefined || value === valueOf(e)) continue;
      if (ticks(e)) e.checked = value;
      else e.value = value;
      changed ||= !own.includes(e.name);
    }
    if (!changed) return;
    for (const fold of $$("details:not([open])", form))
      if ($$("input, select, textarea", fold).some((e) => (ticks(e) ? e.checked : e.type !== "hidden" && e.value))) fold.open = true;
    form.dispatchEvent(new Event("input", { bubbles: true }));
    const note = document.createElement("div");
    note.className = "note note-info";
    note.setAttribute("role", "status");
    note.innerHTML = `<div class="note-body">What you had typed is back. <button class="btn btn-sm" type="button" data-keep-drop>Start empty</button></div>`;
    form.before(note);
    $("[data-keep-drop]", note).addEventListener("click", () => {
      storage((s) => s.removeItem(slotOf(form)));
      location.assign(location.href);
    });
  };
  // A page that says what was done follows on a form that was accepted.
  if ($("#toasts .toast-note"))
    storage((s) => slots(s).forEach((name) => JSON.parse(s.getItem(name)).sent && s.removeItem(name)));
  for (const form of $$("form[data-keep]")) {
    if (form.dataset.keep === "given") save(form);
    else restore(form);
  }
  for (const event of ["input", "change"])
    document.addEventListener(event, (e) => {
      const form = e.target.form ?? e.target;
      if (form.matches?.("form[data-keep]")) save(form);
    });
  document.addEventListener("htmx:after:swap", () =>
    $$("form[data-keep]").forEach((form) => storage((s) => s.getItem(slotOf(form))) && save(form)),
  );
  document.addEventListener("submit", (e) => {
    if (e.defaultPrevented) return;
    if (e.target.matches("form[data-keep]")) save(e.target, true);
    if (e.target.getAttribute("action") === "/sign-out") storage((s) => slots(s).forEach((name) => s.removeItem(name)));
  });
})();
