/** A dashboard in our own words. */
export type Dashboard = {
  /** Of its file, and its uid. */
  name: string
  title: string
  panels: readonly Panel[]
}

type Panel = {
  title: string
  /** As Grafana calls it: s, bytes, ops, short, … */
  unit: string
  /** Queries by what their lines are called. */
  queries: Readonly<Record<string, string>>
}

/** Panels of a row, and the size of each in Grafana's grid of 24 columns. */
const perRow = 3
const size = { w: 24 / perRow, h: 8 }

/** Version of Grafana's schema for dashboards that this is written for. */
const schemaVersion = 39

/** Returns the dashboard as Grafana imports it: it asks which Prometheus to use. */
export function grafanaDashboard({ name, title, panels }: Dashboard): object {
  return {
    uid: `rookery-${name}`,
    title,
    tags: ['rookery'],
    schemaVersion,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus' }] },
    panels: panels.map((panel, index) => toPanel(panel, index)),
  }
}

function toPanel({ title, unit, queries }: Panel, index: number): object {
  const datasource = { type: 'prometheus', uid: '${datasource}' }
  return {
    id: index + 1,
    type: 'timeseries',
    title,
    datasource,
    gridPos: { ...size, x: (index % perRow) * size.w, y: Math.floor(index / perRow) * size.h },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: Object.entries(queries).map(([legendFormat, expr], n) => ({
      refId: String.fromCharCode(65 + n),
      datasource,
      expr,
      legendFormat,
    })),
  }
}
