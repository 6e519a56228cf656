/** A label of a metric: what its values are, and what bounds how many there are. */
type Labels = Readonly<Record<string, string>>

/** One metric: how it counts, what it means, and its labels. */
export type MetricDefinition = {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** By label: its values, and why they are few. */
  readonly labels: Labels
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[]
  /** Whether only the process that leads the sequencers tells it: it is of the whole cluster. */
  readonly isOfCluster?: boolean
}

// From a cached read to a large export, in seconds.
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

// From a step that asks nobody to one that waited for everybody, in seconds.
const stageBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5]

// From a mail to an import of gigabytes, in seconds.
const jobBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 3_600]

const method = 'route of the process, never the path: about 200'
const queue = 'name of a queue: about ten'

/**
 * Every metric of Rookery: the one place that names them. docs/metrics.md is made of it, and a test compares it with
 * alerts and dashboards. Durations are in seconds, sizes in bytes. The label `role` and the metrics of Node itself
 * (`rookery_process_…`, `rookery_nodejs_…`) come from the library.
 */
export const catalogue = {
  rookery_http_request_seconds: {
    type: 'histogram',
    help: 'Time from a request to the end of its answer.',
    labels: { method, status: 'first digit of the status, such as 2xx: five' },
    buckets: requestBuckets,
  },
  rookery_http_errors_total: {
    type: 'counter',
    help: 'Answers that are errors, by the name in their body.',
    labels: { method, error: 'name of an error of ours; what a proxied service calls its own is Upstream' },
  },
  rookery_http_host_requests_total: {
    type: 'counter',
    help: 'Answered requests by the host that they were for.',
    labels: { host: 'hostname, at most 50 in a process, then other' },
  },
  rookery_tls_checks_total: {
    type: 'counter',
    help: 'Answers to load balancers that asked whether to get a certificate.',
    labels: { status: '200, 400, 404 or 503' },
  },
  rookery_database_connections: {
    type: 'gauge',
    help: 'Connections of a pool, and callers that wait for one.',
    labels: { pool: 'name of a pool: about five', state: 'busy, idle or waiting' },
  },
  rookery_database_connections_max: {
    type: 'gauge',
    help: 'Most connections of a pool.',
    labels: { pool: 'name of a pool: about five' },
  },
  rookery_database_errors_total: {
    type: 'counter',
    help: 'Failures of PostgreSQL that are nobody’s mistake: requests, jobs and rounds of the sequencer that met one.',
    labels: { kind: 'away, or full: out of disk, memory, connections, or read-only' },
  },
  rookery_redis_connections: {
    type: 'gauge',
    help: 'Connections to Redis.',
    labels: { state: 'ready or away' },
  },
  rookery_rate_limits_unshared: {
    type: 'gauge',
    help: '1 while the process counts rate limits for itself, because Redis does not answer.',
    labels: {},
  },
  rookery_cache_lookups_total: {
    type: 'counter',
    help: 'Lookups in caches.',
    labels: { cache: 'heads, nodes, writers, identities or signers', result: 'hit or miss' },
  },
  rookery_write_stage_seconds: {
    type: 'histogram',
    help: 'Time that a commit waits for other writes of its repo (queue), looks its head up where none is kept (load), decides what to write (plan), is built and signed (build), and is stored (store).',
    labels: { stage: 'queue, load, plan, build or store' },
    buckets: stageBuckets,
  },
  rookery_write_batch_commits: {
    type: 'histogram',
    help: 'Commits that one statement stored.',
    labels: {},
    buckets: [1, 2, 4, 8, 16, 32, 64, 128],
  },
  rookery_write_commits_total: {
    type: 'counter',
    help: 'Attempts to store a commit, by what became of them.',
    labels: { outcome: 'what commit_batch says, or failed: about six' },
  },
  rookery_signing_failures_total: {
    type: 'counter',
    help: 'Signing keys that could not be unwrapped, and signatures that did not verify.',
    labels: { reason: 'unwrap or signature' },
  },
  rookery_sequencer_leads: {
    type: 'gauge',
    help: '1 while the process leads the sequencers.',
    labels: {},
  },
  rookery_sequencer_failures_total: {
    type: 'counter',
    help: 'Rounds of the sequencer that failed.',
    labels: {},
  },
  rookery_sequencer_batch_events: {
    type: 'histogram',
    help: 'Events that one round numbered.',
    labels: {},
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500],
  },
  rookery_sequencer_round_seconds: {
    type: 'histogram',
    help: 'Time that a round takes to number and publish its events.',
    labels: {},
    buckets: stageBuckets,
  },
  rookery_event_position_seconds: {
    type: 'gauge',
    help: 'How far events have come, as a seq in seconds since the Unix epoch: numbered, published to Redis, in the ring of a firehose process.',
    labels: { at: 'numbered, published or ring' },
  },
  rookery_event_queue_events: {
    type: 'gauge',
    help: 'Committed events that have no seq yet; counts up to 10,000.',
    labels: {},
    isOfCluster: true,
  },
  rookery_event_queue_oldest_seconds: {
    type: 'gauge',
    help: 'How long the oldest event without a seq has been seen waiting.',
    labels: {},
    isOfCluster: true,
  },
  rookery_event_log_bytes: {
    type: 'gauge',
    help: 'Bytes of the event log with its indexes.',
    labels: {},
    isOfCluster: true,
  },
  rookery_event_log_overdue_seconds: {
    type: 'gauge',
    help: 'How long ago the oldest partition of the event log should have been dropped; 0 if none should.',
    labels: {},
    isOfCluster: true,
  },
  rookery_firehose_subscribers: {
    type: 'gauge',
    help: 'Subscribers by how far they are behind, in seconds: up to one, ten, a minute, ten minutes, or more.',
    labels: { behind: '1, 10, 60, 600 or inf' },
  },
  rookery_firehose_lag_seconds_max: {
    type: 'gauge',
    help: 'How far the slowest subscriber is behind.',
    labels: {},
  },
  rookery_firehose_closed_total: {
    type: 'counter',
    help: 'Subscribers that were sent away.',
    labels: { reason: 'ConsumerTooSlow, log or restart' },
  },
  rookery_firehose_sent_bytes_total: {
    type: 'counter',
    help: 'Bytes written to subscribers.',
    labels: {},
  },
  rookery_firehose_ring_bytes: {
    type: 'gauge',
    help: 'Bytes of the frames in the ring.',
    labels: {},
  },
  rookery_firehose_ring_seconds: {
    type: 'gauge',
    help: 'Time between the oldest and the newest event in the ring.',
    labels: {},
  },
  rookery_jobs: {
    type: 'gauge',
    help: 'Jobs that are due and wait, run, or were given up.',
    labels: { queue, state: 'waiting, running or dead' },
    isOfCluster: true,
  },
  rookery_jobs_oldest_seconds: {
    type: 'gauge',
    help: 'How long the oldest job has been due and waits, or has been there and runs.',
    labels: { queue, state: 'waiting or running' },
    isOfCluster: true,
  },
  rookery_job_seconds: {
    type: 'histogram',
    help: 'Time that an attempt at a job took, by how it ended.',
    labels: { queue, outcome: 'done, refused, retried, dead, lost or returned' },
    buckets: jobBuckets,
  },
  rookery_mail_total: {
    type: 'counter',
    help: 'Attempts to send a mail, by template and what became of it.',
    labels: {
      template: 'name of a template: about ten',
      state: 'sent, retrying, failed, suppressed or limited',
    },
  },
  rookery_blob_store_seconds: {
    type: 'histogram',
    help: 'Time that the blob store takes for a request, for reads up to the first byte.',
    labels: { operation: 'method of the store: about eight', outcome: 'ok, refused or failed' },
    buckets: requestBuckets,
  },
  rookery_blob_bytes_total: {
    type: 'counter',
    help: 'Bytes of blobs that went into the store and were asked of it.',
    labels: { direction: 'in or out' },
  },
  rookery_upstream_seconds: {
    type: 'histogram',
    help: 'Time that other services take to answer a proxied request, up to the head of the answer.',
    labels: { outcome: 'first digit of the status, such as 2xx, or failed' },
    buckets: requestBuckets,
  },
  rookery_outbound_seconds: {
    type: 'histogram',
    help: 'Time that servers which are not proxied take to answer, up to the head of the answer; for mail, to take it.',
    labels: {
      to: 'plc, identity (documents of DIDs and handles), client (of OAuth), lexicon, relay or mail',
      outcome: 'first digit of the status, such as 2xx, or failed; for mail, ok or failed',
    },
    buckets: requestBuckets,
  },
  rookery_events_total: {
    type: 'counter',
    help: 'What happened, as the business sees it.',
    labels: { event: 'name of a business event: about twenty' },
  },
  rookery_tenant_accounts: {
    type: 'gauge',
    help: 'Accounts of a tenant.',
    labels: { tenant: 'slug of one of the 50 largest, or other' },
    isOfCluster: true,
  },
  rookery_tenant_blob_bytes: {
    type: 'gauge',
    help: 'Bytes of blobs of a tenant’s accounts.',
    labels: { tenant: 'slug of one of the 50 largest, or other' },
    isOfCluster: true,
  },
  rookery_host_accounts: {
    type: 'gauge',
    help: 'Accounts of a host.',
    labels: { host: 'hostname of one of the 50 largest, or other' },
    isOfCluster: true,
  },
} as const satisfies Record<string, MetricDefinition>

type Catalogue = typeof catalogue

/** Name of a metric. */
export type MetricName = keyof Catalogue

/** Names of the metrics of a type. */
export type MetricOf<T extends MetricDefinition['type']> = {
  [N in MetricName]: Catalogue[N]['type'] extends T ? N : never
}[MetricName]

/** The labels that a metric takes. */
export type LabelsOf<N extends MetricName> = Record<keyof Catalogue[N]['labels'] & string, string>
