// Theme, copy buttons, local times, and what charts need. No library, no request.
(() => {
  "use strict";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const remembered = () => {
    try {
      return localStorage.getItem("pgadvisor-theme");
    } catch {
      return null; // storage may be forbidden
    }
  };

  const applyTheme = () => {
    root.dataset.theme = remembered() ?? (system.matches ? "dark" : "light");
    root.style.colorScheme = root.dataset.theme;
  };

  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const colours = (first) =>
    Array.from({ length: 8 }, (_, n) => colour(`--series-${((first + n) % 8) + 1}`));

  const number = (value) => {
    const size = Math.abs(value);
    if (size >= 1e9) return `${+(value / 1e9).toPrecision(3)}G`;
    if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
    if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
    return `${+value.toPrecision(3)}`;
  };

  const repaint = () => {
    for (const box of document.querySelectorAll(".nicegui-echart")) {
      const chart = window.getElement?.(Number(box.id.slice(1)))?.chart;
      const option = chart?.getOption();
      if (!option) continue;
      const axis = { axisLabel: { color: colour("--muted") } };
      const first = Number(box.dataset.firstColour ?? 0);
      chart.setOption({
        color: colours(first),
        legend: { textStyle: { color: colour("--muted") } },
        tooltip: {
          backgroundColor: colour("--panel"),
          borderColor: colour("--line"),
          textStyle: { color: colour("--text") },
        },
        xAxis: { ...axis, axisLine: { lineStyle: { color: colour("--line") } } },
        yAxis: { ...axis, splitLine: { lineStyle: { color: colour("--grid") } } },
      });
    }
  };

  const changeTheme = () => {
    applyTheme();
    repaint();
  };

  const copyText = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // no clipboard outside https and localhost: the older way
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };

  document.addEventListener("click", async (event) => {
    if (!(event.target instanceof Element)) return;
    const theme = event.target.closest("button.theme");
    if (theme) {
      try {
        localStorage.setItem("pgadvisor-theme", root.dataset.theme === "dark" ? "light" : "dark");
      } catch {
        return;
      }
      changeTheme();
    }
    const copy = event.target.closest("button.copy");
    const code = copy?.closest(".code")?.querySelector("pre");
    if (code) {
      await copyText(code.textContent);
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    }
    if (event.target.closest("a.skip")) {
      event.preventDefault();
      document.querySelector(".nicegui-content")?.focus();
    }
  });

  const addLocalTime = (event) => {
    const time = event.target instanceof Element && event.target.closest("time[datetime]");
    if (time && !time.title) {
      time.title = `${new Date(time.dateTime).toLocaleString()} local time`;
    }
  };
  document.addEventListener("pointerover", addLocalTime);

  system.addEventListener("change", changeTheme);
  applyTheme();
  window.pgadvisor = { colour, colours, number };
})();
