// Things that open above the chat: the large picture and the Apps menu. Focus goes in, and comes back.
import { h, link } from "./dom.js";

/** Show one of several pictures large; arrows walk, Escape closes. */
export function lightbox(pictures, start) {
  let index = start;
  const image = h("img", { class: "large", referrerpolicy: "no-referrer" });
  const caption = h("p", { class: "caption" });
  const step = (by) => {
    index = (index + by + pictures.length) % pictures.length;
    image.src = pictures[index].url ?? "";
    image.alt = pictures[index].alt;
    const place = pictures.length > 1 ? ` (${index + 1} of ${pictures.length})` : "";
    caption.replaceChildren(
      link(pictures[index].url ?? "", pictures[index].name || "Open in a new tab"), place);
  };
  const arrow = (text, label, by) =>
    pictures.length > 1 &&
    h("button", { type: "button", class: "icon-button", "aria-label": label, text,
      on: { click: () => step(by) } });
  const dialog = openDialog("lightbox", "Picture",
    h("div", { class: "lightbox-bar" }, caption, arrow("‹", "Previous picture", -1),
      arrow("›", "Next picture", 1),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", text: "✕",
        on: { click: () => dialog.close() } })),
    image);
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("mousedown", (event) => {
    if (event.target === dialog) dialog.close();
  });
  step(0);
}

/** A modal `<dialog>` with this content; it removes itself when it closes. */
export function openDialog(className, label, ...children) {
  const before = document.activeElement;
  const dialog = h("dialog", { class: className, "aria-label": label }, ...children);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before?.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A menu under `anchor`, or at `point`; `entries` are `{label, run}`; empty says `none`. */
export function openMenu(anchor, label, entries, none, point) {
  const items = entries.map((entry) =>
    h("button", { type: "button", role: "menuitem", text: entry.label,
      on: { click: () => { close(); entry.run(); } } }));
  const menu = h("div", { class: "menu", role: "menu", "aria-label": label, tabindex: "-1" },
    h("p", { class: "menu-title", text: label }),
    ...items, items.length === 0 && h("p", { class: "subtext", text: none }));
  const away = (event) => { if (!menu.contains(event.target)) close(); };
  function close() {
    document.removeEventListener("pointerdown", away, true);
    menu.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (anchor.isConnected) anchor.focus();
  }
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && items.length) {
      event.preventDefault();
      const from = items.indexOf(document.activeElement);
      items[(from + step + items.length) % items.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      close();
    }
  });
  document.addEventListener("pointerdown", away, true);
  document.body.append(menu);
  const box = menu.getBoundingClientRect();
  const place = point ? { right: point.x + box.width, bottom: point.y } : anchor.getBoundingClientRect();
  menu.style.setProperty("left", `${Math.max(8, Math.min(place.right - box.width, innerWidth - box.width - 8))}px`);
  menu.style.setProperty("top", `${Math.max(8, Math.min(place.bottom + 4, innerHeight - box.height - 8))}px`);
  anchor.setAttribute("aria-expanded", "true");
  (items[0] ?? menu).focus();
}
