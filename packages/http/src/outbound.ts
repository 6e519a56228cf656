import { metrics } from '@rookery/telemetry'

/** Whom a request goes to, as metrics call it. */
export type OutboundTarget = 'plc' | 'identity' | 'client' | 'lexicon' | 'relay' | 'old-server'

/** Returns the answer, and observes how long it took; what is asked for nobody's request goes to nobody. */
export async function measureOutbound<Answer extends { status: number }>(
  to: OutboundTarget | undefined,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const startMs = performance.now()
  let outcome = 'failed'
  try {
    const answer = await ask()
    outcome = `${Math.floor(answer.status / 100)}xx`
    return answer
  } finally {
    if (to !== undefined) {
      const seconds = (performance.now() - startMs) / 1_000
      metrics.observe('rookery_outbound_seconds', { to, outcome }, seconds)
    }
  }
}
