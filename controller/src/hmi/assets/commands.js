// Buttons: one request a press; what the line answers is said in words.

import { fill, setText } from "./dom.js";

const SHOWN_MS = 6000;
// Four words within the second that one holds.
const JOG_MS = 250;
const GIVES_REASON = ["stop", "hold", "complete"];

function speaker(said) {
  return (tone, text) => {
    said.dataset.tone = tone;
    setText(said, text);
    clearTimeout(said.fade);
    // Good news may go; a refusal stays until the next press.
    if (tone === "normal") said.fade = setTimeout(() => setText(said, ""), SHOWN_MS);
  };
}

async function send(main, say, button, command) {
  say("normal", fill(main.dataset.sending, button.textContent.trim()));
  button.setAttribute("aria-busy", "true");
  try {
    const response = await fetch("/api/command", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(command),
      signal: AbortSignal.timeout(5000),
    });
    const answer = await response.json();
    say(answer.taken ? "normal" : "attention", answer.text);
  } catch {
    say("alarm", main.dataset.noAnswer);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function give(main, say, button) {
  if (button.dataset.ready !== "true") {
    const why = button.closest(".command").querySelector(".reason").textContent;
    say("attention", fill(main.dataset.refused, why));
    return;
  }
  const { command } = button.dataset;
  const choice = document.getElementById("reason");
  const reason = GIVES_REASON.includes(command) ? choice.value : "";
  // The next stop has a reason of its own.
  if (reason) choice.selectedIndex = 0;
  send(main, say, button, { command, reason });
}

// Hold to run: the button speaks while it is held; the line stops by itself when it falls silent.
function hold(main, say, place) {
  let held = null;
  const tell = (button, command) => {
    if (button.getAttribute("aria-busy") !== "true") send(main, say, button, { command: "jog", ...command });
  };
  const end = () => {
    if (!held) return;
    clearInterval(held.repeat);
    const { button } = held;
    held = null;
    button.removeAttribute("aria-busy");
    tell(button, {});
  };
  const begin = (event) => {
    const button = event.target.closest("button");
    if (!button || held) return;
    event.preventDefault();
    const { zone } = button.dataset;
    held = { button, repeat: setInterval(() => tell(button, { zone }), JOG_MS) };
    tell(button, { zone });
  };
  const key = (event) => event.key === " " || event.key === "Enter";
  place.addEventListener("pointerdown", begin);
  place.addEventListener("keydown", (event) => key(event) && begin(event));
  place.addEventListener("keyup", (event) => key(event) && end());
  for (const name of ["pointerup", "pointercancel", "blur"]) window.addEventListener(name, end);
  place.addEventListener("pointerleave", end);
}

export function connect(main) {
  const say = speaker(document.getElementById("said"));
  hold(main, say, document.getElementById("jogs"));
  const pressed = (event) => {
    const button = event.target.closest("button");
    return button && button.getAttribute("aria-busy") !== "true" ? button : null;
  };
  main.querySelector(".commands").addEventListener("click", (event) => {
    const button = pressed(event);
    if (button) give(main, say, button);
  });
  document.getElementById("set-mode").addEventListener("click", (event) => {
    const button = pressed(event);
    if (!button) return;
    if (button.dataset.ready === "true") {
      send(main, say, button, { command: "mode", mode: document.getElementById("mode").value });
    } else {
      say("attention", fill(main.dataset.refused, document.getElementById("mode-why").textContent));
    }
  });
  document.getElementById("alarms").addEventListener("click", (event) => {
    const button = pressed(event);
    if (!button) return;
    const command = button.dataset.command || "acknowledge";
    const asked = { command, alarm: button.closest("li").dataset.key };
    if (command === "shelve") {
      asked.reason = document.getElementById("shelf-why").value;
      asked.minutes = Number(document.getElementById("shelf-for").value);
    }
    send(main, say, button, asked);
  });
}
