// The last request as code, and the clipboard.

import { snippet } from "./snippets.js";

const KINDS = ["curl", "python", "grpc", "javascript"];
const COPIED_MS = 1500;

export function makeCode(app) {
  const find = (id) => document.querySelector(id);
  const text = find("#snippet-text");
  let call = null;

  function show(newCall, description) {
    call = newCall;
    find("#code").hidden = false;
    find("#code-help").textContent = `The request for ${description}.`;
    draw();
  }

  function draw() {
    const kind = KINDS.includes(app.state.code) ? app.state.code : KINDS[0];
    for (const name of KINDS) {
      const tab = find(`#tab-${name}`);
      tab.setAttribute("aria-selected", name === kind);
      tab.tabIndex = name === kind ? 0 : -1;
    }
    find("#snippet").setAttribute("aria-labelledby", `tab-${kind}`);
    text.textContent = snippet(kind, call, app.server);
  }

  async function copy(content, button) {
    const name = button.textContent;
    try {
      await navigator.clipboard.writeText(content);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed by the browser";
    }
    app.say(button.textContent);
    setTimeout(() => { button.textContent = name; }, COPIED_MS);
  }

  const tabs = find("#tabs");
  tabs.addEventListener("click", (event) => {
    const tab = event.target.closest("[role='tab']");
    if (tab) app.change({ code: tab.id.replace("tab-", "") }, async () => draw());
  });
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = KINDS.indexOf(event.target.id.replace("tab-", ""));
    const tab = find(`#tab-${KINDS[(at + step + KINDS.length) % KINDS.length]}`);
    tab.click();
    tab.focus();
  });
  find("#copy").addEventListener("click", (event) => copy(text.textContent, event.target));
  return { show, copy };
}
