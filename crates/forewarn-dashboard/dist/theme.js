// Sets the colours before anything is drawn. A file of its own: the content security policy allows no inline script.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem("forewarn.theme");
  } catch (error) {
    // Storage is switched off: the system's colours are taken.
  }
  var isDark = choice ? choice === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
})();
