import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'

import { type Manifest, chartDir, ciFiles, render, renderText } from './chart.ts'
import { generatedFiles } from './generated.ts'
import { helm } from './helm-binary.ts'
import { problemOf } from './kubernetes.ts'
import { readValues } from './readme.ts'

const read = (name: string) => readFileSync(join(chartDir, name), 'utf8')

describe('the chart', () => {
  test('has no version of its own', () => {
    const { version } = JSON.parse(readFileSync(join(chartDir, '../../package.json'), 'utf8')) as {
      version: string
    }
    expect(read('Chart.yaml')).toContain(`\nversion: ${version}\nappVersion: ${version}\n`)
  })

  test('is what the generators make of values.yaml and of the declared variables', () => {
    for (const [name, text] of Object.entries(generatedFiles()))
      expect(read(name), `${name}: run pnpm gen`).toBe(text)
  })

  test('describes every value', () => {
    const values = readValues(read('values.yaml'))
    expect(values.length).toBeGreaterThan(90)
    expect(values.filter(({ description }) => description === '')).toEqual([])
  })

  test.each(ciFiles)('passes lint with %s', (file) => {
    expect(helm('lint', '--strict', chartDir, '--values', join(chartDir, 'ci', file))).toContain(
      '0 chart(s) failed',
    )
  })

  test.each(ciFiles)('renders %s the same each time', (file) => {
    expect(renderText(file)).toBe(renderText(file))
  })

  test.each(ciFiles)('makes objects of %s that Kubernetes knows', (file) => {
    const manifests = render(file)
    expect(manifests.length).toBeGreaterThan(7)
    expect(manifests.map(problemOf).filter((problem) => problem !== undefined)).toEqual([])
  })

  test('the check of objects sees a wrong type, a missing field and an unknown kind', () => {
    const metadata = { name: 'x' }
    const of = (kind: string, apiVersion: string, spec: unknown) =>
      problemOf({ kind, apiVersion, metadata, spec })
    expect(of('Service', 'v1', { ports: [{ port: 80 }] })).toBeUndefined()
    expect(of('Service', 'v1', { ports: [{ port: 'eighty' }] })).toContain('port')
    expect(of('Deployment', 'apps/v1', { template: {} })).toContain('selector')
    expect(of('Gadget', 'v1', {})).toContain('no schema')
  })
})

describe('a bad value is refused', () => {
  const refusal = (...sets: string[]) => {
    try {
      renderText('minimal-values.yaml', ...sets)
    } catch (error) {
      return (error as { stderr: string }).stderr
    }
    throw new Error(`${sets.join(' ')} was taken`)
  }

  test.each([
    ['a name that nothing reads', 'replicas=3', 'replicas'],
    ['a variable that nobody reads', 'config.ROOKERY_HTTP_DRAIN=1', 'ROOKERY_HTTP_DRAIN'],
    ['a number where text is wanted', 'config.ROOKERY_HTTP_DRAIN_MS=20000', 'got number, want string'],
    ['a variable that the chart decides', 'config.ROOKERY_HTTP_PORT="80"', 'ROOKERY_HTTP_PORT'],
    ['a secret in clear', 'config.ROOKERY_JWT_SECRET="x"', 'ROOKERY_JWT_SECRET'],
    ['a secret’s value', 'secrets.variables.ROOKERY_JWT_SECRET="x"', 'want object'],
    ['a key of one role that is misspelt', 'worker.autoscaling.minReplica=1', 'minReplica'],
    ['memory without a unit', 'api.resources.limits.memory="2"', 'memory'],
    ['a digest that is none', 'image.digest="latest"', 'digest'],
    ['a hostname with a scheme', 'hostnames=["https://pds.example"]', 'hostnames'],
  ])('by the schema: %s', (_, set, named) => {
    expect(refusal(set)).toContain(named)
  })

  test.each([
    ['image.repository=""', 'push the image of infra/docker/Dockerfile'],
    ['config.ROOKERY_BLOBS_DRIVER="disk"', 'which several pods cannot share'],
    ['config.ROOKERY_BLOBS_S3_BUCKET=""', 'name the bucket'],
    ['api.podDisruptionBudget={"minAvailable":1,"maxUnavailable":1}', 'keep one of them'],
    ['api.autoscaling={"enabled":true,"minReplicas":9}', 'minReplicas is above maxReplicas'],
    ['worker.autoscaling={"enabled":true,"metrics":[]}', 'on without metrics'],
    ['sequencer.autoscaling={"enabled":true,"metrics":[{"type":"Resource"}]}', 'only one sequencer works'],
    ['ingress.enabled=true', 'name your hosts'],
    ['gateway={"enabled":true}', 'name your hosts'],
    ['monitoring={"podMonitor":{"enabled":true},"serviceMonitor":{"enabled":true}}', 'keep one of them'],
    ['monitoring.prometheusRule={"enabled":true}', 'can read docs/operations.md'],
  ])('by a sentence: %s', (set, sentence) => {
    expect(refusal(set)).toContain(sentence)
  })
})

describe('an example', () => {
  const files = readdirSync(join(chartDir, 'examples')).sort()

  test.each(files.filter((file) => file.endsWith('-values.yaml')))(
    '%s renders beside the least values',
    (file) => {
      const values = (name: string) => ['--values', join(chartDir, name)]
      const text = helm(
        'template',
        'rookery',
        chartDir,
        ...values('ci/minimal-values.yaml'),
        ...values(`examples/${file}`),
      )
      const plain = renderText('minimal-values.yaml')
      expect(text).not.toBe(plain)
    },
  )

  test.each(files.filter((file) => !file.endsWith('-values.yaml')))(
    '%s holds objects that Kubernetes knows',
    (file) => {
      const manifests = parseAllDocuments(read(`examples/${file}`)).map(
        (document) => document.toJS() as Manifest,
      )
      expect(manifests.length).toBeGreaterThan(0)
      // CloudNativePG has no schema on npm.
      const checked = manifests.filter(({ apiVersion }) => apiVersion !== 'postgresql.cnpg.io/v1')
      expect(checked.map(problemOf).filter((problem) => problem !== undefined)).toEqual([])
    },
  )
})
