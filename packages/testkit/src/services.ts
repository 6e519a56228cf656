import { inject } from 'vitest'

/**
 * Asks the run's broker for a service, which starts on the first call.
 *
 * @throws {Error} with the reason when the service cannot be brought up.
 */
export async function service<T>(name: 'postgres' | 'redis'): Promise<T> {
  const response = await fetch(`${inject('rookeryServices')}/${name}`)
  if (!response.ok) throw new Error(`${name} for the tests did not start: ${await response.text()}`)
  return (await response.json()) as T
}
