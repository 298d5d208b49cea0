/* Runs before the first paint, so that a dark page never flashes white. The rest is in app.js. */
(function () {
  "use strict";
  var chosen = null;
  try {
    chosen = localStorage.getItem("leocdp-theme");
  } catch (error) {
    chosen = null; // storage is off: follow the system
  }
  var dark = chosen ? chosen === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
})();
