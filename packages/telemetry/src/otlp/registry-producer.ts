import { type HrTime, ValueType } from '@opentelemetry/api'
import { emptyResource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics'
import type { MetricObjectWithValues, MetricValueWithName, Registry } from 'prom-client'

type Value = MetricValueWithName<string>
type Period = { startTime: HrTime; endTime: HrTime }

/**
 * Returns what a registry of Prometheus holds as metrics of OpenTelemetry, under the same names and labels and with
 * the same numbers as a scrape at that moment: whoever stores them can use the same alerts and dashboards.
 *
 * @param startedMs when the process began to count.
 */
export function registryProducer(registry: Registry, startedMs: number): MetricProducer {
  const startTime = timeOf(startedMs)
  return {
    async collect() {
      const period = { startTime, endTime: timeOf(Date.now()) }
      const all = (await registry.getMetricsAsJSON()) as MetricObjectWithValues<Value>[]
      const metrics = all
        .map((metric) => convert(metric, period))
        .filter(({ dataPoints }) => dataPoints.length > 0)
      return {
        resourceMetrics: {
          resource: emptyResource(),
          scopeMetrics: [{ scope: { name: 'rookery' }, metrics }],
        },
        errors: [],
      }
    },
  }
}

/** Milliseconds since the epoch as seconds and nanoseconds. */
function timeOf(ms: number): HrTime {
  return [Math.trunc(ms / 1_000), Math.round((ms % 1_000) * 1e6)]
}

function convert({ name, help, type, values }: MetricObjectWithValues<Value>, period: Period): MetricData {
  const common = {
    // A unit would become part of the name where Prometheus stores it.
    descriptor: { name, description: help, unit: '', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  }
  // The library types what it returns as a number: it is the name of the type.
  switch (type as unknown as string) {
    case 'histogram':
      return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints: histograms(values, period) }
    case 'counter':
      return {
        ...common,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints: numbers(values, period),
      }
    default:
      return { ...common, dataPointType: DataPointType.GAUGE, dataPoints: numbers(values, period) }
  }
}

function numbers(values: Value[], period: Period): DataPoint<number>[] {
  return values.map(({ labels, value }) => ({ ...period, attributes: labels, value }))
}

/** Puts the buckets, the sum and the count of each set of labels together; buckets come in rising order. */
function histograms(values: Value[], period: Period): DataPoint<Histogram>[] {
  const points = new Map<string, DataPoint<Histogram>>()
  for (const {
    labels: { le, ...attributes },
    metricName = '',
    value,
  } of values) {
    const key = JSON.stringify(attributes)
    const point = points.get(key) ?? {
      ...period,
      attributes,
      value: { buckets: { boundaries: [], counts: [] }, sum: 0, count: 0 },
    }
    points.set(key, point)
    const { buckets } = point.value
    if (metricName.endsWith('_sum')) point.value.sum = value
    else if (metricName.endsWith('_count')) point.value.count = value
    else {
      // Prometheus counts what is at most the boundary, OpenTelemetry what is between two.
      buckets.counts.push(value - buckets.counts.reduce((sum, count) => sum + count, 0))
      if (le !== '+Inf') buckets.boundaries.push(Number(le))
    }
  }
  return [...points.values()]
}
