import type { Dashboard } from './grafana.ts'

const share = (part: string, whole: string): string => `${part} / ${whole}`
const rate = (counter: string, by = ''): string => `sum${by} (rate(${counter}[$__rate_interval]))`
const quantile = (q: number, buckets: string, by = ''): string =>
  `histogram_quantile(${q}, sum by (le${by}) (rate(${buckets}[$__rate_interval])))`

const requests = 'rookery_http_request_seconds'
const recordRequests = `${requests}_bucket{method=~".*repo.*Record"}`

/** What an operator looks at, by dashboard; the first says whether all is well. */
export const dashboards: readonly Dashboard[] = [
  {
    name: 'overview',
    title: 'Rookery: overview',
    panels: [
      {
        title: 'requests',
        unit: 'reqps',
        queries: { '{{status}}': rate(`${requests}_count`, ' by (status)') },
      },
      {
        title: 'errors by name',
        unit: 'reqps',
        queries: { '{{error}}': rate('rookery_http_errors_total', ' by (error)') },
      },
      {
        title: 'latency of records',
        unit: 's',
        queries: {
          'p50 {{method}}': quantile(0.5, recordRequests, ', method'),
          'p99 {{method}}': quantile(0.99, recordRequests, ', method'),
        },
      },
      {
        title: 'requests by host',
        unit: 'reqps',
        queries: { '{{host}}': rate('rookery_http_host_requests_total', ' by (host)') },
      },
      { title: 'leaders', unit: 'short', queries: { leaders: 'sum(rookery_sequencer_leads)' } },
      {
        title: 'events without a number, and how far firehoses are behind',
        unit: 's',
        queries: {
          'oldest in the queue': 'max(rookery_event_queue_oldest_seconds)',
          firehose:
            'max(rookery_event_position_seconds{at="numbered"}) - min(rookery_event_position_seconds{at="ring"})',
        },
      },
      {
        title: 'failures of PostgreSQL',
        unit: 'ops',
        queries: { '{{kind}}': rate('rookery_database_errors_total', ' by (kind)') },
      },
      {
        title: 'connections to Redis',
        unit: 'short',
        queries: { '{{state}}': 'sum by (state) (rookery_redis_connections)' },
      },
      {
        title: 'blob store',
        unit: 'ops',
        queries: {
          '{{operation}} {{outcome}}': rate('rookery_blob_store_seconds_count', ' by (operation, outcome)'),
        },
      },
      {
        title: 'CPU by role',
        unit: 'short',
        queries: { '{{role}}': rate('rookery_process_cpu_seconds_total', ' by (role)') },
      },
      {
        title: 'memory by role',
        unit: 'bytes',
        queries: { '{{role}}': 'max by (role) (rookery_process_resident_memory_bytes)' },
      },
      {
        title: 'delay of the event loop',
        unit: 's',
        queries: { '{{role}}': 'max by (role) (rookery_nodejs_eventloop_lag_p99_seconds)' },
      },
    ],
  },
  {
    name: 'write-path',
    title: 'Rookery: write path',
    panels: [
      {
        title: 'commits',
        unit: 'ops',
        queries: { '{{outcome}}': rate('rookery_write_commits_total', ' by (outcome)') },
      },
      {
        title: 'stages, p50',
        unit: 's',
        queries: { '{{stage}}': quantile(0.5, 'rookery_write_stage_seconds_bucket', ', stage') },
      },
      {
        title: 'stages, p99',
        unit: 's',
        queries: { '{{stage}}': quantile(0.99, 'rookery_write_stage_seconds_bucket', ', stage') },
      },
      {
        title: 'commits of a statement',
        unit: 'short',
        queries: {
          mean: share(rate('rookery_write_batch_commits_sum'), rate('rookery_write_batch_commits_count')),
          p99: quantile(0.99, 'rookery_write_batch_commits_bucket'),
        },
      },
      {
        title: 'hits of caches',
        unit: 'percentunit',
        queries: {
          '{{cache}}': share(
            rate('rookery_cache_lookups_total{result="hit"}', ' by (cache)'),
            rate('rookery_cache_lookups_total', ' by (cache)'),
          ),
        },
      },
      {
        title: 'busiest pool of connections',
        unit: 'percentunit',
        queries: {
          '{{pool}}':
            'max by (pool) (rookery_database_connections{state="busy"} / on (instance, pool) rookery_database_connections_max)',
        },
      },
      {
        title: 'waiting for a connection',
        unit: 'short',
        queries: { '{{pool}}': 'sum by (pool) (rookery_database_connections{state="waiting"})' },
      },
      {
        title: 'failures of signing',
        unit: 'ops',
        queries: { '{{reason}}': rate('rookery_signing_failures_total', ' by (reason)') },
      },
    ],
  },
  {
    name: 'firehose',
    title: 'Rookery: firehose',
    panels: [
      {
        title: 'events numbered',
        unit: 'ops',
        queries: { events: rate('rookery_sequencer_batch_events_sum') },
      },
      {
        title: 'rounds of the sequencer',
        unit: 's',
        queries: {
          p50: quantile(0.5, 'rookery_sequencer_round_seconds_bucket'),
          p99: quantile(0.99, 'rookery_sequencer_round_seconds_bucket'),
        },
      },
      { title: 'failed rounds', unit: 'ops', queries: { failed: rate('rookery_sequencer_failures_total') } },
      {
        title: 'events without a number',
        unit: 'short',
        queries: { events: 'max(rookery_event_queue_events)' },
      },
      {
        title: 'subscribers by seconds behind',
        unit: 'short',
        queries: { '{{behind}}': 'sum by (behind) (rookery_firehose_subscribers)' },
      },
      {
        title: 'slowest subscriber',
        unit: 's',
        queries: { behind: 'max(rookery_firehose_lag_seconds_max)' },
      },
      {
        title: 'subscribers sent away',
        unit: 'ops',
        queries: { '{{reason}}': rate('rookery_firehose_closed_total', ' by (reason)') },
      },
      { title: 'sent', unit: 'Bps', queries: { bytes: rate('rookery_firehose_sent_bytes_total') } },
      { title: 'ring', unit: 'bytes', queries: { bytes: 'max(rookery_firehose_ring_bytes)' } },
      { title: 'time in the ring', unit: 's', queries: { least: 'min(rookery_firehose_ring_seconds)' } },
      { title: 'event log', unit: 'bytes', queries: { bytes: 'max(rookery_event_log_bytes)' } },
      {
        title: 'overdue partitions',
        unit: 's',
        queries: { overdue: 'max(rookery_event_log_overdue_seconds)' },
      },
    ],
  },
  {
    name: 'jobs-mail',
    title: 'Rookery: jobs and mail',
    panels: [
      {
        title: 'jobs by queue',
        unit: 'short',
        queries: { '{{queue}} {{state}}': 'max by (queue, state) (rookery_jobs)' },
      },
      {
        title: 'oldest jobs',
        unit: 's',
        queries: { '{{queue}} {{state}}': 'max by (queue, state) (rookery_jobs_oldest_seconds)' },
      },
      {
        title: 'attempts',
        unit: 'ops',
        queries: { '{{queue}} {{outcome}}': rate('rookery_job_seconds_count', ' by (queue, outcome)') },
      },
      {
        title: 'time of an attempt, p99',
        unit: 's',
        queries: { '{{queue}}': quantile(0.99, 'rookery_job_seconds_bucket', ', queue') },
      },
      { title: 'mail', unit: 'ops', queries: { '{{state}}': rate('rookery_mail_total', ' by (state)') } },
      {
        title: 'mails that came back',
        unit: 'ops',
        queries: { bounced: rate('rookery_events_total{event="mailBounced"}') },
      },
      {
        title: 'answers of services',
        unit: 'ops',
        queries: { '{{outcome}}': rate('rookery_upstream_seconds_count', ' by (outcome)') },
      },
      {
        title: 'time of services, p99',
        unit: 's',
        queries: { p99: quantile(0.99, 'rookery_upstream_seconds_bucket') },
      },
      {
        title: 'other servers',
        unit: 'ops',
        queries: {
          '{{to}} {{outcome}}': rate('rookery_outbound_seconds_count', ' by (to, outcome)'),
        },
      },
      {
        title: 'time of other servers, p99',
        unit: 's',
        queries: { '{{to}}': quantile(0.99, 'rookery_outbound_seconds_bucket', ', to') },
      },
    ],
  },
  {
    name: 'tenants',
    title: 'Rookery: tenants',
    panels: [
      {
        title: 'accounts by tenant',
        unit: 'short',
        queries: { '{{tenant}}': 'max by (tenant) (rookery_tenant_accounts)' },
      },
      {
        title: 'accounts by host',
        unit: 'short',
        queries: { '{{host}}': 'max by (host) (rookery_host_accounts)' },
      },
      {
        title: 'bytes of blobs by tenant',
        unit: 'bytes',
        queries: { '{{tenant}}': 'max by (tenant) (rookery_tenant_blob_bytes)' },
      },
      {
        title: 'bytes of blobs',
        unit: 'Bps',
        queries: { '{{direction}}': rate('rookery_blob_bytes_total', ' by (direction)') },
      },
      {
        title: 'what happens',
        unit: 'ops',
        queries: { '{{event}}': rate('rookery_events_total', ' by (event)') },
      },
      {
        title: 'checks of certificates',
        unit: 'ops',
        queries: { '{{status}}': rate('rookery_tls_checks_total', ' by (status)') },
      },
      {
        title: 'rate limits not shared',
        unit: 'short',
        queries: { processes: 'sum(rookery_rate_limits_unshared)' },
      },
    ],
  },
]
