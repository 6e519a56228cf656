import type { TestProject } from 'vitest/node'

import { ServiceBroker } from './service-broker.ts'

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- vitest asks for declaration merging.
  export interface ProvidedContext {
    /** Where tests ask for PostgreSQL and Redis; see service-broker.ts. */
    rookeryServices: string
  }
}

/** Vitest's global set-up: services start when the first test asks for one, and end with the run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const broker = await ServiceBroker.start()
  project.provide('rookeryServices', broker.url)
  return () => broker[Symbol.asyncDispose]()
}
