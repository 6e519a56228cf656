/** Small charts as SVG: lines over two axes, both logarithmic, because what is compared differs by orders of magnitude. */

/** Width and height of a chart, and the room that its labels take, in pixels. */
const panel = { width: 380, height: 230, left: 62, right: 16, top: 34, bottom: 40 }

/** A place in a chart, or of one. */
export type Point = { x: number; y: number }

/** One line of a chart. */
export type Line = { color: string; points: readonly Point[] }

/** A chart. */
export type Panel = { title: string; xLabel: string; lines: readonly Line[] }

/** Joins charts in columns, each from top to bottom, with a legend below. */
export function drawing(columns: readonly (readonly Panel[])[], legend: Record<string, string>): string {
  const rows = Math.max(...columns.map((panels) => panels.length))
  const [width, height] = [columns.length * panel.width, rows * panel.height + 24]
  const parts = columns.flatMap((panels, column) =>
    panels.map((each, row) => drawPanel(each, { x: column * panel.width, y: row * panel.height })),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...parts,
    drawLegend(legend, height - 8),
    '</svg>',
    '',
  ].join('\n')
}

function drawPanel(what: Panel, at: Point): string {
  const all = what.lines.flatMap(({ points }) => points).filter(isDrawable)
  const toX = scale(
    all.map(({ x }) => x),
    [panel.left, panel.width - panel.right],
  )
  const toY = scale(
    all.map(({ y }) => y),
    [panel.height - panel.bottom, panel.top],
  )
  const xs = [...new Set(all.map(({ x }) => x))]
  const bottom = panel.height - panel.bottom
  return [
    `<g transform="translate(${at.x},${at.y})">`,
    `<text x="${panel.left}" y="18" font-weight="bold">${what.title}</text>`,
    ...decades(all.map(({ y }) => y)).map(
      (y) =>
        `<line x1="${panel.left}" x2="${panel.width - panel.right}" y1="${toY(y)}" y2="${toY(y)}" stroke="#ddd"/>` +
        `<text x="${panel.left - 6}" y="${toY(y) + 4}" text-anchor="end">${y}</text>`,
    ),
    ...xs.map((x) => `<text x="${toX(x)}" y="${bottom + 16}" text-anchor="middle">${shortNumber(x)}</text>`),
    `<text x="${panel.width / 2}" y="${bottom + 31}" text-anchor="middle">${what.xLabel}</text>`,
    ...what.lines.map(({ color, points }) =>
      drawLine(
        color,
        points.filter(isDrawable).map(({ x, y }) => ({ x: toX(x), y: toY(y) })),
      ),
    ),
    '</g>',
  ].join('\n')
}

/** A logarithm has no place for zero. */
function isDrawable({ x, y }: Point): boolean {
  return x > 0 && y > 0
}

function drawLine(color: string, points: readonly Point[]): string {
  const path = points.map(({ x, y }) => `${x},${y}`).join(' ')
  const dots = points.map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="3" fill="${color}"/>`)
  return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join('')}`
}

function drawLegend(legend: Record<string, string>, y: number): string {
  return Object.entries(legend)
    .map(([name, color], n) => {
      const x = panel.left + n * 165
      return `<circle cx="${x}" cy="${y - 4}" r="4" fill="${color}"/><text x="${x + 9}" y="${y}">${name}</text>`
    })
    .join('')
}

/** Maps values to pixels by their logarithm; a single value lands in the middle. */
function scale(values: readonly number[], [from, to]: [number, number]): (value: number) => number {
  const marks = [...decades(values), ...values].map(Math.log10)
  const min = Math.min(...marks)
  const span = Math.max(...marks) - min
  return (value) =>
    round(span === 0 ? (from + to) / 2 : from + ((Math.log10(value) - min) / span) * (to - from))
}

/** The powers of ten that enclose the values. */
function decades(values: readonly number[]): number[] {
  if (values.length === 0) return []
  const first = Math.floor(Math.log10(Math.min(...values)))
  const last = Math.ceil(Math.log10(Math.max(...values)))
  return Array.from({ length: last - first + 1 }, (_, n) => 10 ** (first + n))
}

function shortNumber(value: number): string {
  return value >= 10_000 ? `${Math.round(value / 1_000)}k` : String(value)
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10
}
