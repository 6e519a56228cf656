import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { defineConfig } from 'vitest/config'

import { findHelm } from './test/helm/helm-binary.ts'
import { sharedDirectory } from './test/support/shared.ts'

const hasVectors = existsSync(join(sharedDirectory, 'vectors'))
if (!hasVectors) {
  process.stderr.write(
    `\n*** The interoperability tests do NOT run: there are no vectors in ${sharedDirectory}.\n` +
      '*** Set ROOKERY_SHARED to the folder that holds "vectors" and "data".\n\n',
  )
}

const hasHelm = findHelm() !== undefined
if (!hasHelm)
  process.stderr.write('\n*** The tests of the Helm chart do NOT run: there is no helm on the path.\n\n')

/** The pictures of docs/images are made anew when they are asked for. */
const takesPictures = process.env['ROOKERY_PICTURES'] === '1'

export default defineConfig({
  test: {
    globalSetup: ['packages/testkit/src/global-setup.ts'],
    // Most tests wait for PostgreSQL and Redis: more of them than cores keep the machine busy.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{apps,packages,infra}/**/*.test.ts', 'test/*/**/*.test.ts'],
          exclude: [
            '**/node_modules/**',
            'test/{e2e,chaos,peers}/**',
            ...(hasVectors ? [] : ['test/interop/**']),
            ...(hasHelm ? [] : ['test/helm/**']),
          ],
        },
      },
      // Each file starts a whole cluster: one at a time.
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'test/e2e/browser/**'],
          fileParallelism: false,
        },
      },
      // All files share one cluster and one browser. One at a time, so that the balancer's turns are those of one flow.
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/e2e/browser/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...(takesPictures ? [] : ['**/pictures.test.ts'])],
          globalSetup: ['test/support/browser/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 90_000,
          expect: { poll: { timeout: 15_000 } },
        },
      },
      {
        extends: true,
        test: { name: 'chaos', include: ['test/chaos/**/*.test.ts'], fileParallelism: false },
      },
      {
        extends: true,
        test: { name: 'peers', include: ['test/peers/**/*.test.ts'], fileParallelism: false },
      },
    ],
  },
})
