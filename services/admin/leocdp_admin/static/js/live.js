/* Server-sent events. The server sends ready-made rows; here they are only put in place.
 *
 * <section data-live="/events/stream?…" data-live-max="100">
 *   … [data-live-rows] receives the rows, newest first; [data-live-state="waiting|open|paused|lost"] parts are shown by state.
 */

class Live {
  constructor(element) {
    this.element = element;
    this.rows = element.querySelector("[data-live-rows]");
    this.max = Number(element.dataset.liveMax ?? 100);
    this.paused = false;
    this.held = [];
    element.querySelector("[data-live-pause]")?.addEventListener("click", () => this.toggle());
    this.open();
  }

  open() {
    this.source = new EventSource(this.element.dataset.live);
    this.source.addEventListener("open", () => this.show(this.paused ? "paused" : "open"));
    this.source.addEventListener("row", (event) => this.row(event.data));
    this.source.addEventListener("done", (event) => this.finish(event.data));
    this.source.addEventListener("error", () => this.show("lost")); // the browser tries again by itself
  }

  show(state) {
    this.element.dataset.state = state;
    this.element.querySelectorAll("[data-live-state]").forEach((part) => {
      part.hidden = !part.dataset.liveState.split(" ").includes(state);
    });
  }

  row(html) {
    if (this.paused) {
      this.held.push(html);
      if (this.held.length > this.max) this.held.shift();
      return;
    }
    this.put(html);
  }

  put(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    for (const node of holder.content.children) {
      if (node.id && document.getElementById(node.id)) return; // seen already, before a reconnect
    }
    this.rows.prepend(holder.content);
    while (this.rows.children.length > this.max) this.rows.lastElementChild.remove();
    this.element.querySelector("[data-live-empty]")?.setAttribute("hidden", "");
    this.element.querySelector("[data-live-list]")?.removeAttribute("hidden");
  }

  toggle() {
    this.paused = !this.paused;
    if (!this.paused) this.held.splice(0).forEach((html) => this.put(html));
    this.show(this.paused ? "paused" : "open");
  }

  finish(html) {
    this.source.close();
    const target = this.element.querySelector("[data-live-done]");
    target.innerHTML = html;
    this.show("done");
  }
}

document.querySelectorAll("[data-live]").forEach((element) => new Live(element));
