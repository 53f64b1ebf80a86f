// What the reader chose, light or dark and how close rows stand, before anything is painted.
(() => {
  const root = document.documentElement;
  const chosen = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // No storage is no choice.
    }
  };
  const apply = () => {
    const theme = chosen("theme");
    const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.setAttribute("data-bs-theme", dark ? "dark" : "light");
    root.setAttribute("data-rows", chosen("density") === "dense" ? "dense" : "calm");
  };
  apply();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("fulmar:chosen", apply);
})();
