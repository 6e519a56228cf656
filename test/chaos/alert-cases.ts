/**
 * What Prometheus sees of a cluster that is well, and what each alert is for: series over time, a value every half
 * minute, which is how often the chart has it look. `4+2` begins at 4 and rises by 2; in a fault, `+2` goes on from
 * the value before. What a fault does not name goes on as it is when all is well.
 */
export const allIsWell: Record<string, string> = {
  'rookery_http_errors_total{method="/xrpc/a.b.c",error="InternalServerError"}': '4+0',
  'rookery_http_errors_total{method="/xrpc/a.b.c",error="InvalidRequest"}': '0+30',
  'rookery_http_request_seconds_count{method="/xrpc/a.b.c",status="2xx"}': '0+600',
  [latency('0.05')]: '0+500',
  [latency('1')]: '0+600',
  [latency('5')]: '0+600',
  [latency('+Inf')]: '0+600',
  'rookery_sequencer_leads{instance="a"}': '1+0',
  'rookery_sequencer_leads{instance="b"}': '0+0',
  rookery_event_queue_oldest_seconds: '1+0',
  'rookery_event_position_seconds{at="numbered"}': '1000+30',
  'rookery_event_position_seconds{at="ring",instance="a"}': '999+30',
  'rookery_event_position_seconds{at="ring",instance="b"}': '990+30',
  'rookery_firehose_closed_total{reason="restart"}': '0+10',
  'rookery_firehose_closed_total{reason="ConsumerTooSlow"}': '7+0',
  'rookery_jobs_oldest_seconds{queue="mail",state="waiting"}': '5+0',
  'rookery_jobs_oldest_seconds{queue="blob-gc",state="waiting"}': '1800+0',
  'rookery_jobs_oldest_seconds{queue="repo-import",state="running"}': '600+0',
  'rookery_jobs{queue="mail",state="dead"}': '3+0',
  'rookery_jobs{queue="repo-import",state="dead"}': '0+0',
  'rookery_redis_connections{role="api",state="ready"}': '2+0',
  'rookery_redis_connections{role="api",state="away"}': '0+0',
  rookery_rate_limits_unshared: '0+0',
  'rookery_database_errors_total{role="api",kind="away"}': '12+0',
  'rookery_database_errors_total{role="api",kind="full"}': '1+0',
  'rookery_database_connections{role="api",pool="rookery-api",state="busy"}': '9+0',
  'rookery_database_connections{role="api",pool="rookery-api",state="waiting"}': '0+0',
  'rookery_blob_store_seconds_count{operation="put",outcome="ok"}': '0+60',
  'rookery_blob_store_seconds_count{operation="put",outcome="failed"}': '0+1',
  'rookery_mail_total{template="notice",state="sent"}': '0+10',
  'rookery_mail_total{template="notice",state="retrying"}': '0+1',
  'rookery_events_total{event="mailBounced"}': '0+0',
  rookery_event_log_overdue_seconds: '0+0',
  rookery_event_log_bytes: '1.5e10+0',
  'rookery_tls_checks_total{status="200"}': '0+5',
  'rookery_tls_checks_total{status="503"}': '2+0',
  'rookery_job_seconds_count{queue="crawl-request",outcome="done"}': '0+2',
  'rookery_job_seconds_count{queue="crawl-request",outcome="retried"}': '0+1',
  'rookery_signing_failures_total{reason="unwrap"}': '5+0',
}

function latency(le: string): string {
  return `rookery_http_request_seconds_bucket{method="/xrpc/com.atproto.repo.createRecord",status="2xx",le="${le}"}`
}

export type AlertCase = {
  alert: string
  /** What is the matter from `sinceMinutes` on. */
  fault: Record<string, string>
  sinceMinutes: number
  /** Minutes after the beginning at which it does not fire yet, and at which it does. */
  quietAt: number
  firesAt: number
  /** Minutes between two values, where it looks at days; default a half. */
  everyMinutes?: number
  /** Labels of what fires beside its own. */
  labels?: Record<string, string>
  /** Other alerts that the same fault has fire, by right. */
  also?: string[]
}

/** One for each alert. */
export const alertCases: AlertCase[] = [
  {
    alert: 'ApiErrors',
    fault: { 'rookery_http_errors_total{method="/xrpc/a.b.c",error="InternalServerError"}': '+12' },
    sinceMinutes: 10,
    quietAt: 11,
    firesAt: 18,
  },
  {
    alert: 'ApiSlow',
    fault: { [latency('1')]: '+580', [latency('0.05')]: '+500' },
    sinceMinutes: 10,
    quietAt: 12,
    firesAt: 20,
  },
  {
    alert: 'SequencerHasNoLeader',
    fault: { 'rookery_sequencer_leads{instance="a"}': '0+0' },
    sinceMinutes: 10,
    quietAt: 9,
    firesAt: 12,
  },
  {
    alert: 'SequencerBehind',
    fault: { rookery_event_queue_oldest_seconds: '0+30' },
    sinceMinutes: 5,
    quietAt: 5,
    firesAt: 8,
  },
  {
    alert: 'FirehoseBehind',
    fault: { 'rookery_event_position_seconds{at="ring",instance="b"}': '+0' },
    sinceMinutes: 5,
    quietAt: 5,
    firesAt: 8,
  },
  {
    alert: 'FirehoseDropsConsumers',
    fault: { 'rookery_firehose_closed_total{reason="ConsumerTooSlow"}': '+1' },
    sinceMinutes: 5,
    quietAt: 6,
    firesAt: 12,
  },
  {
    alert: 'JobsWait',
    fault: { 'rookery_jobs_oldest_seconds{queue="mail",state="waiting"}': '0+30' },
    sinceMinutes: 5,
    quietAt: 17,
    firesAt: 22,
    labels: { queue: 'mail' },
  },
  {
    alert: 'JobsDead',
    fault: { 'rookery_jobs{queue="repo-import",state="dead"}': '1+0' },
    sinceMinutes: 5,
    quietAt: 5,
    firesAt: 7,
    labels: { queue: 'repo-import' },
  },
  {
    alert: 'ImportStuck',
    fault: { 'rookery_jobs_oldest_seconds{queue="repo-import",state="running"}': '600+30' },
    sinceMinutes: 5,
    quietAt: 24,
    firesAt: 28,
  },
  {
    alert: 'RedisAway',
    fault: { 'rookery_redis_connections{role="api",state="away"}': '2+0' },
    sinceMinutes: 5,
    quietAt: 5,
    firesAt: 7,
    labels: { role: 'api' },
  },
  {
    alert: 'RateLimitsNotShared',
    fault: { rookery_rate_limits_unshared: '1+0' },
    sinceMinutes: 5,
    quietAt: 9,
    firesAt: 11,
  },
  {
    alert: 'DatabaseAway',
    fault: { 'rookery_database_errors_total{role="api",kind="away"}': '+10' },
    sinceMinutes: 5,
    quietAt: 6,
    firesAt: 8,
    labels: { role: 'api' },
  },
  {
    alert: 'DatabaseFull',
    fault: { 'rookery_database_errors_total{role="api",kind="full"}': '+5' },
    sinceMinutes: 5,
    quietAt: 4,
    firesAt: 6,
  },
  {
    alert: 'DatabasePoolExhausted',
    fault: { 'rookery_database_connections{role="api",pool="rookery-api",state="waiting"}': '3+0' },
    sinceMinutes: 5,
    quietAt: 6,
    firesAt: 8,
    labels: { role: 'api', pool: 'rookery-api' },
  },
  {
    alert: 'BlobStoreFails',
    fault: { 'rookery_blob_store_seconds_count{operation="put",outcome="failed"}': '+20' },
    sinceMinutes: 5,
    quietAt: 6,
    firesAt: 12,
  },
  {
    alert: 'MailFails',
    fault: { 'rookery_mail_total{template="notice",state="retrying"}': '+10' },
    sinceMinutes: 15,
    quietAt: 20,
    firesAt: 50,
  },
  {
    alert: 'MailBounces',
    fault: { 'rookery_events_total{event="mailBounced"}': '+2' },
    sinceMinutes: 10,
    quietAt: 12,
    firesAt: 60,
  },
  {
    alert: 'EventLogNotPruned',
    fault: { rookery_event_log_overdue_seconds: '0+300' },
    sinceMinutes: 5,
    quietAt: 20,
    firesAt: 35,
  },
  {
    alert: 'EventLogGrows',
    fault: { rookery_event_log_bytes: '3.1e10+0' },
    sinceMinutes: 2_880,
    quietAt: 2_900,
    firesAt: 2_916,
    everyMinutes: 4,
  },
  {
    alert: 'TlsChecksFail',
    fault: { 'rookery_tls_checks_total{status="503"}': '+1' },
    sinceMinutes: 5,
    quietAt: 6,
    firesAt: 9,
  },
  {
    alert: 'CrawlRequestsFail',
    fault: {
      'rookery_job_seconds_count{queue="crawl-request",outcome="done"}': '+0',
      'rookery_job_seconds_count{queue="crawl-request",outcome="retried"}': '+2',
    },
    sinceMinutes: 10,
    quietAt: 60,
    firesAt: 140,
  },
  {
    alert: 'SigningKeysFail',
    fault: { 'rookery_signing_failures_total{reason="unwrap"}': '+1' },
    sinceMinutes: 5,
    quietAt: 4,
    firesAt: 6,
    labels: { reason: 'unwrap' },
  },
]
