"use strict";
// Draws the charts anew so that they can be hovered and zoomed. Without it their SVG stands.
(() => {
  const { first, charts } = JSON.parse(document.getElementById("series").textContent);
  const TALL = 170;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const said = (value) => (value == null ? "–" : String(Number(value.toPrecision(4))));
  const drawn = [];

  function marks(broken) {
    return (u) => {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = colour("bad");
      if (first !== null && first >= u.scales.x.min && first <= u.scales.x.max) {
        const x = Math.round(u.valToPos(first, "x", true));
        ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
        ctx.lineWidth = 1.4 * devicePixelRatio;
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
      ctx.font = `${14 * devicePixelRatio}px system-ui`;
      ctx.textAlign = "center";
      for (const x of broken) {
        if (x < u.scales.x.min || x > u.scales.x.max) continue;
        ctx.fillText("×", u.valToPos(x, "x", true), bbox.top + bbox.height - 3 * devicePixelRatio);
      }
      ctx.restore();
    };
  }

  function draw(place) {
    const chart = charts[Number(place.dataset.series)];
    const dots = chart.x.length <= 60;
    const bounds = chart.bounds.map(([, values]) =>
      Array.isArray(values) ? values : chart.x.map(() => values));
    const plot = new uPlot({
      width: place.clientWidth,
      height: TALL,
      cursor: { sync: { key: "iterations" }, y: false },
      hooks: { draw: [marks(chart.broken)] },
      scales: {
        x: { time: false },
        y: { distr: chart.log ? 3 : 1, range: () => chart.range },
      },
      axes: [
        { stroke: () => colour("soft"), grid: { show: false }, ticks: { show: false }, size: 26 },
        {
          stroke: () => colour("soft"),
          grid: { stroke: () => colour("rule"), width: 1 },
          ticks: { show: false },
          size: 62,
          splits: () => chart.ticks,
          values: (u, values) => values.map((v) => (v == null ? "" : said(v))),
        },
      ],
      series: [
        { label: "iteration", value: (u, v) => said(v) },
        {
          label: chart.name, stroke: () => colour("line"), width: 1.6, spanGaps: true,
          points: { show: dots, size: 4, fill: () => colour("line") }, value: (u, v) => said(v),
        },
        ...chart.bounds.map(([label]) => ({
          label, stroke: () => colour("warn"), width: 1.4, dash: [6, 4], spanGaps: true,
          points: { show: false }, value: (u, v) => said(v),
        })),
      ],
    }, [chart.x, chart.y, ...bounds], place);
    place.classList.add("live");
    drawn.push([plot, place]);
  }

  function drawOpen() {
    for (const place of document.querySelectorAll(".chart:not(.live)")) {
      if (!place.closest("details:not([open])")) draw(place);
    }
  }

  drawOpen();
  document.addEventListener("toggle", drawOpen, true);
  addEventListener("resize", () => {
    for (const [plot, place] of drawn) {
      if (place.clientWidth > 0) plot.setSize({ width: place.clientWidth, height: TALL });
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const [plot] of drawn) plot.redraw(false, true);
  });
})();
