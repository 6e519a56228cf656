import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { parseAllDocuments } from 'yaml'

import { helm, projectDir } from './helm-binary.ts'

export const chartDir = join(projectDir, 'helm/rookery')

/** A rendered object, as far as the tests look at every one. */
export type Manifest = {
  apiVersion: string
  kind: string
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> }
  spec?: unknown
  data?: Record<string, string>
}

/** The part of a pod that the tests look at. */
export type Pod = {
  serviceAccountName?: string
  automountServiceAccountToken?: boolean
  terminationGracePeriodSeconds?: number
  securityContext?: Record<string, unknown>
  topologySpreadConstraints?: unknown[]
  containers: Container[]
  volumes?: { name: string; emptyDir?: { sizeLimit?: string } }[]
}

export type Container = {
  name: string
  image: string
  args?: string[]
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }[]
  envFrom?: { configMapRef: { name: string } }[]
  ports?: { name: string; containerPort: number }[]
  securityContext?: Record<string, unknown>
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
  volumeMounts?: { name: string; mountPath: string }[]
  startupProbe?: object
  livenessProbe?: object
  readinessProbe?: object
}

/** The values that every change is rendered with, by name. */
export const ciFiles: readonly string[] = readdirSync(join(chartDir, 'ci')).sort()

/** What helm makes of a file of `ci`, as text. */
export function renderText(file: string, ...sets: string[]): string {
  const values = ['--values', join(chartDir, 'ci', file)]
  return helm(
    'template',
    'rookery',
    chartDir,
    '--namespace',
    'pds',
    ...values,
    ...sets.flatMap((set) => ['--set-json', set]),
  )
}

/** What helm makes of a file of `ci`. */
export function render(file: string, ...sets: string[]): Manifest[] {
  const documents = parseAllDocuments(renderText(file, ...sets))
  return documents.flatMap((document) => {
    const manifest = document.toJS() as Manifest | null
    return manifest === null ? [] : [manifest]
  })
}

/** The pod that an object is or makes. */
export function podOf({ kind, spec }: Manifest): Pod | undefined {
  if (kind === 'Pod') return spec as Pod
  return (spec as { template?: { spec: Pod } } | undefined)?.template?.spec
}

/** Objects of a kind. */
export function ofKind(manifests: readonly Manifest[], kind: string): Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind)
}
