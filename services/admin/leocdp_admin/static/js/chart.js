/* Pictures. A <div data-chart='{…}'> holds plain numbers and labels; colours come from the theme. */

const made = new Map();

const canvas = document.createElement("canvas");
const brush = canvas.getContext("2d", { willReadFrequently: true });

/* The theme computes its colours (light-dark, oklch …), which the chart library cannot read: paint one pixel and look. */
function style(name) {
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  brush.clearRect(0, 0, 1, 1);
  brush.fillStyle = colour;
  brush.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = brush.getImageData(0, 0, 1, 1).data;
  return `rgba(${red},${green},${blue},${(alpha / 255).toFixed(3)})`;
}

function palette() {
  return {
    line: style("--tblr-primary"),
    second: style("--tblr-green"),
    text: style("--tblr-secondary"),
    grid: style("--tblr-border-color"),
    back: style("--tblr-bg-surface"),
    body: style("--tblr-body-color"),
  };
}

function tooltip(colours) {
  return {
    trigger: "axis",
    renderMode: "richText", // drawn on the canvas: no style attributes, which our policy forbids
    confine: true,
    backgroundColor: colours.back,
    borderColor: colours.grid,
    textStyle: { color: colours.body, fontSize: 12 },
  };
}

function area(colour) {
  const clear = colour.replace(/[^,]+\)$/, "0)");
  return {
    color: { type: "linear", x: 0, y: 0, x2: 0, y2: 1, colorStops: [
      { offset: 0, color: colour }, { offset: 1, color: clear },
    ] },
    opacity: 0.2,
  };
}

function options(data, colours) {
  const spark = data.kind === "spark";
  const series = data.series.map((one, index) => {
    const colour = index ? colours.second : colours.line;
    const bar = data.kind === "bars" || spark;
    return {
      name: one.name,
      type: bar ? "bar" : "line",
      data: one.values,
      color: colour,
      ...(bar ? { barCategoryGap: "25%", itemStyle: { borderRadius: [2, 2, 0, 0] } }
              : { smooth: 0.2, showSymbol: one.values.length < 2, lineStyle: { width: 2 }, areaStyle: area(colour) }),
    };
  });
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    tooltip: tooltip(colours),
    legend: data.series.length > 1 ? { top: 0, left: 0, icon: "circle", itemWidth: 8, itemHeight: 8,
                                       textStyle: { color: colours.text } } : undefined,
    grid: spark ? { left: 0, right: 0, top: 4, bottom: 0 }
                : { left: 4, right: 8, top: data.series.length > 1 ? 32 : 12, bottom: 6,
                    outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: { type: "category", data: data.labels, show: !spark, boundaryGap: data.kind !== "lines",
             axisLine: { lineStyle: { color: colours.grid } }, axisTick: { show: false },
             axisLabel: { color: colours.text, hideOverlap: true } },
    yAxis: { type: "value", show: !spark, minInterval: 1, splitNumber: 4,
             splitLine: { lineStyle: { color: colours.grid } }, axisLabel: { color: colours.text } },
    series,
  };
}

function draw(element) {
  const chart = made.get(element) ?? echarts.init(element, null, { renderer: "canvas" });
  made.set(element, chart);
  chart.setOption(options(JSON.parse(element.dataset.chart), palette()), true);
}

function drawAll() {
  document.querySelectorAll("[data-chart]").forEach(draw);
}

function forgetRemoved() {
  for (const [element, chart] of made) {
    if (!element.isConnected) {
      chart.dispose();
      made.delete(element);
    }
  }
}

drawAll();
new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
new ResizeObserver(() => made.forEach((chart) => chart.resize())).observe(document.body);
document.body.addEventListener("htmx:afterSettle", () => { forgetRemoved(); drawAll(); });
