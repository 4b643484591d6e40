// Buttons: one request a press; what the line answers is said in words.

import { fill, setText } from "./dom.js";

const SHOWN_MS = 6000;

async function give(main, said, button) {
  const label = button.textContent.trim();
  const say = (tone, text) => {
    said.dataset.tone = tone;
    setText(said, text);
    clearTimeout(said.fade);
    // Good news may go; a refusal stays until the next press.
    if (tone === "normal") said.fade = setTimeout(() => setText(said, ""), SHOWN_MS);
  };
  if (button.dataset.ready !== "true") {
    const why = button.closest(".command").querySelector(".reason").textContent;
    say("attention", fill(main.dataset.refused, why));
    return;
  }
  say("normal", fill(main.dataset.sending, label));
  button.setAttribute("aria-busy", "true");
  try {
    const response = await fetch("/api/command", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ command: button.dataset.command }),
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

export function connect(main) {
  const said = document.getElementById("said");
  main.querySelector(".commands").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button && button.getAttribute("aria-busy") !== "true") give(main, said, button);
  });
}
