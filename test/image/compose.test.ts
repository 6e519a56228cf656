import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { loadConfig } from '@rookery/config'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { projectDir } from './dockerfile.ts'

type Service = {
  image?: string
  command?: string[]
  entrypoint?: string[]
  environment?: Record<string, string>
  read_only?: boolean
  cap_drop?: string[]
  stop_grace_period?: string
  networks?: string[]
  ports?: string[]
  volumes?: string[]
  depends_on?: Record<string, { condition: string }>
}
type Compose = {
  services: Record<string, Service>
  networks: Record<string, { internal?: boolean; ipam?: { config: { subnet: string }[] } }>
  volumes: Record<string, unknown>
}

let compose: Compose
let example: Record<string, string>
let caddyfile: string

const read = (name: string) => readFile(join(projectDir, 'infra', name), 'utf8')
const roles = ['api', 'firehose', 'sequencer', 'worker'] as const
const roleOf = (name: (typeof roles)[number]) => compose.services[name] ?? {}

beforeAll(async () => {
  compose = parse(await read('compose.yaml'), { merge: true }) as Compose
  const lines = (await read('env.example')).split('\n').filter((line) => /^[A-Z]/.test(line))
  example = Object.fromEntries(lines.map((line) => line.split('=', 2)))
  caddyfile = await read('Caddyfile')
})

/** What the role's process gets when `infra/.env` is filled in. */
function environmentOf(service: Service): Record<string, string> {
  const filledIn: Record<string, string> = Object.fromEntries(
    Object.keys(example).map((name) => [name, name.endsWith('KEY') ? '0a'.repeat(32) : 'x'.repeat(32)]),
  )
  const env = { ...filledIn, ROOKERY_MAIL_URL: '', ROOKERY_CRAWL_RELAYS: '', ...service.environment }
  const fill = (value: string) =>
    value.replaceAll(/\$\{(\w+):\?\}/g, (_, name: string) => {
      expect(filledIn).toHaveProperty(name)
      return filledIn[name] ?? ''
    })
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)]))
}

describe('infra/compose.yaml', () => {
  test.each(roles)('gives %s an environment that it accepts', (role) => {
    const config = loadConfig([role], environmentOf(roleOf(role)))
    expect(config.blobs.s3Bucket).toBe('rookery')
    expect(config.http.trustedProxies).toEqual(
      compose.networks['edge']?.ipam?.config.map(({ subnet }) => subnet),
    )
  })

  test('runs every role, sequencers twice, after the schema and the bucket are there', () => {
    for (const role of roles) {
      const service = roleOf(role)
      expect(service.command).toEqual([`apps/${role}/src/main.ts`])
      expect(service.depends_on?.['migrate']?.condition).toBe('service_completed_successfully')
      expect(service.depends_on?.['bucket']?.condition).toBe('service_completed_successfully')
    }
    expect(roleOf('sequencer')).toMatchObject({ deploy: { replicas: 2 } })
  })

  test('stops no role before it has drained', () => {
    const { http } = loadConfig(['sequencer'], environmentOf(roleOf('sequencer')))
    for (const role of roles) {
      const seconds = Number.parseInt(roleOf(role).stop_grace_period ?? '', 10)
      // A worker has ten seconds beyond the drain time, the others five; those that serve step back before.
      expect(seconds * 1_000).toBeGreaterThan(http.stopDelayMs + http.drainMs + 10_000)
    }
  })

  test('gives our own processes no capabilities and a read-only root', () => {
    const ours = Object.values(compose.services).filter(
      ({ image }) => image === compose.services['api']?.image,
    )
    expect(ours).toHaveLength(6)
    for (const service of ours) expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
  })

  test('opens ports of Caddy alone, and keeps the stores from the world', () => {
    const open = Object.entries(compose.services).filter(([, { ports }]) => ports !== undefined)
    expect(open.map(([name]) => name)).toEqual(['caddy'])
    expect(compose.networks['stores']?.internal).toBe(true)
    for (const store of ['postgres', 'valkey', 's3'])
      expect(compose.services[store]?.networks).toEqual(['stores'])
  })

  test('pins every image of others to a version', () => {
    const images = Object.values(compose.services).map(({ image }) => image ?? '')
    for (const image of images.filter((image) => !image.includes('rookery')))
      expect(image).toMatch(/^[\w./-]+:\d/)
  })

  test('declares the networks and volumes that it names', () => {
    for (const { networks = [], volumes = [] } of Object.values(compose.services)) {
      for (const name of networks) expect(compose.networks).toHaveProperty(name)
      for (const volume of volumes.filter((volume) => !volume.startsWith('.')))
        expect(compose.volumes).toHaveProperty(volume.split(':')[0] ?? '')
    }
  })
})

describe('infra/Caddyfile', () => {
  test('asks the internal port about names, and sends subscribers to the firehose', () => {
    expect(caddyfile).toContain('ask http://api:2590/tls-check')
    expect(caddyfile).toContain('@firehose path /xrpc/com.atproto.sync.subscribeRepos')
    const ports = [...caddyfile.matchAll(/\b(api|firehose):(\d+)/g)].map(
      ([, name, port]) => `${name}:${port}`,
    )
    const { http } = loadConfig(['sequencer'], environmentOf(roleOf('sequencer')))
    const isPort = new Set([`api:${http.internalPort}`, `api:${http.port}`, `firehose:${http.port}`])
    expect(ports.filter((port) => !isPort.has(port))).toEqual([])
    expect(ports).toHaveLength(3)
  })
})
