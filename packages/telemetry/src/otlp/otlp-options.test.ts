import { expect, test } from 'vitest'

import { nothingSent } from './nothing-sent.ts'
import { otlpSignals } from './otlp-options.ts'

const endpoint = 'http://collector:4318'

test.each([
  ['without an endpoint nothing is sent', {}, [false, false, false]],
  ['one endpoint is everything’s', { endpoint }, [true, true, true]],
  ['a signal’s own endpoint is only its own', { metricsEndpoint: endpoint }, [false, true, false]],
  ['each signal can be switched off', { endpoint, logsExporter: 'none' }, [true, true, false]],
  ['all can be switched off', { endpoint, isDisabled: true }, [false, false, false]],
] as const)('%s', (_claim, options, [traces, metrics, logs]) => {
  expect(otlpSignals({ ...nothingSent, ...options })).toEqual({ traces, metrics, logs })
})
