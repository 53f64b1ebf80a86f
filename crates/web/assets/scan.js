// Scanning: a scanner is a keyboard that types a text and Enter. Scans are sent one after the other in the order of scanning, each under a
// key of its own, so that one that is sent again counts once. What did not arrive is shown until it is sent again or left out.
(() => {
  "use strict";
  const desk = document.querySelector("[data-scan-desk]");
  if (!desk) return;
  const form = desk.querySelector("form[data-scan]");
  const field = form.elements.scan;
  const lost = document.getElementById("scan-lost");
  const waiting = [];
  let sending = false;
  let stuck = null;

  // Sound: high and short for right, low and long for wrong. It needs a gesture first; a scan is one.
  let audio;
  const muted = () => {
    try {
      return localStorage.getItem("scan-sound") === "off";
    } catch {
      return false;
    }
  };
  const tone = (frequency, start, length, shape) => {
    const at = audio.currentTime + start;
    const source = audio.createOscillator();
    const volume = audio.createGain();
    source.type = shape;
    source.frequency.value = frequency;
    volume.gain.setValueAtTime(0.2, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + length);
    source.connect(volume).connect(audio.destination);
    source.start(at);
    source.stop(at + length);
  };
  const sounds = {
    right: () => tone(1250, 0, 0.12, "sine"),
    back: () => tone(700, 0, 0.12, "sine"),
    wrong: () => {
      tone(190, 0, 0.28, "sawtooth");
      tone(150, 0.3, 0.35, "sawtooth");
    },
    done: () => {
      tone(900, 0, 0.12, "sine");
      tone(1350, 0.14, 0.22, "sine");
    },
  };
  const sound = (name) => {
    if (muted() || !sounds[name]) return;
    try {
      audio ??= new AudioContext();
      audio.resume();
      sounds[name]();
    } catch {
      // A machine without sound shows the colour.
    }
    if (name === "wrong") navigator.vibrate?.(300);
  };
  const button = desk.querySelector("[data-scan-sound]");
  const press = () => {
    button.setAttribute("aria-pressed", String(!muted()));
    button.querySelector("[data-scan-sound-text]").textContent = muted() ? "Sound off" : "Sound on";
  };
  button.addEventListener("click", () => {
    try {
      localStorage.setItem("scan-sound", muted() ? "on" : "off");
    } catch {
      // Then it stays as it is.
    }
    press();
    sound("right");
    focus();
  });

  // Not crypto.randomUUID: a tablet in the warehouse may come over plain HTTP.
  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

  // The cursor is in the field unless somebody works elsewhere on purpose.
  const elsewhere = () => {
    const at = document.activeElement;
    return document.querySelector("dialog[open]") || (at && at !== document.body && at !== field && at.matches("input, select, textarea, [contenteditable]"));
  };
  const focus = () => {
    if (!document.querySelector("dialog[open]")) field.focus({ preventScroll: true });
  };
  document.addEventListener("click", (e) => {
    if (!e.target.closest("a, button, input, select, textarea, label, summary, dialog, [tabindex='0']")) focus();
  });
  // What a scanner types while a button has the focus belongs into the field.
  document.addEventListener(
    "keydown",
    (e) => {
      if (e.key.length !== 1 || e.ctrlKey || e.metaKey || e.altKey || e.target === field || elsewhere()) return;
      if (e.key === " " && e.target.matches?.("button, a, summary")) return;
      field.focus();
      e.stopPropagation();
    },
    true,
  );
  addEventListener("focus", focus);

  // What somebody typed or chose beside the scans, as a weight or a box, outlives the next one.
  desk.addEventListener("input", (e) => e.target.closest("#scan-state") && (e.target.dataset.touched = ""));
  const keep = (before, state) => {
    for (const field of before.querySelectorAll("[name][data-touched]")) {
      const same = [...state.querySelectorAll("[name]")].find((f) => f.name === field.name && f.form?.action === field.form?.action);
      if (!same || (same.options && ![...same.options].some((o) => o.value === field.value))) continue;
      same.value = field.value;
      same.checked = field.checked;
      same.dataset.touched = "";
    }
  };

  const show = (text) => {
    const parts = new DOMParser().parseFromString(text, "text/html");
    const said = parts.getElementById("scan-said");
    const state = parts.getElementById("scan-state");
    if (!said || !state) return false;
    const { outcome } = said.dataset;
    const finished = "done" in said.dataset;
    document.getElementById("scan-said").replaceWith(said);
    const before = document.getElementById("scan-state");
    before.replaceWith(state);
    keep(before, state);
    sound(outcome === "right" && finished ? "done" : outcome);
    document.dispatchEvent(new Event("fulmar:fresh"));
    return true;
  };
  const complain = (scan, signedOut) => {
    stuck = scan;
    lost.querySelector("[data-scan-lost-text]").textContent = scan.body.get("scan");
    lost.querySelector("[data-scan-silent]").hidden = signedOut;
    lost.querySelector("[data-scan-signed-out]").hidden = !signedOut;
    lost.hidden = false;
    document.getElementById("scan-said").hidden = true;
    sound("wrong");
  };
  const send = async () => {
    if (sending || stuck) return;
    const scan = waiting.shift();
    if (!scan) return;
    sending = true;
    document.getElementById("scan-said").classList.add("scan-wait");
    let answer = null;
    try {
      answer = await fetch(scan.action, {
        method: "POST",
        body: scan.body,
        headers: { "HX-Request-Type": "partial" },
        signal: AbortSignal.timeout(10000),
      });
    } catch {
      // Not there, or too slow: it may have arrived, so it is sent again under the same key.
    }
    sending = false;
    document.getElementById("scan-said").classList.remove("scan-wait");
    if (answer?.redirected) return location.reload();
    const judged = answer && (answer.ok || answer.status === 422 || answer.status === 409);
    if (!judged || !show(await answer.text().catch(() => ""))) complain(scan, answer?.status === 401);
    send();
  };

  desk.addEventListener("submit", (e) => {
    const sent = e.target;
    if (!sent.matches("form[data-scan], form[data-scan-undo]")) return;
    e.preventDefault();
    const body = new URLSearchParams(new FormData(sent));
    if (sent === form) {
      const text = field.value.trim();
      field.value = "";
      if (form.elements.quantity) form.elements.quantity.value = "1";
      if (!text) return;
      body.set("scan", text);
      body.set("once", newKey());
    }
    waiting.push({ action: sent.action, body });
    focus();
    send();
  });
  // Enter in the empty field goes on when there is nothing left to scan.
  field.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || field.value.trim() || waiting.length || sending) return;
    e.preventDefault();
    desk.querySelector("[data-scan-next]")?.click();
  });
  lost.querySelector("[data-scan-again]").addEventListener("click", () => {
    waiting.unshift(stuck);
    stuck = null;
    lost.hidden = true;
    document.getElementById("scan-said").hidden = false;
    focus();
    send();
  });
  lost.querySelector("[data-scan-drop]").addEventListener("click", () => {
    stuck = null;
    lost.hidden = true;
    document.getElementById("scan-said").hidden = false;
    focus();
    send();
  });
  addEventListener("beforeunload", (e) => {
    if (sending || stuck || waiting.length) e.preventDefault();
  });
  press();
  focus();
})();
