/** Validation of objects against the schemas of Kubernetes and of the operators whose kinds the chart uses. */
import { ExternalSecret } from '@kubernetes-models/external-secrets/external-secrets.io/v1/ExternalSecret'
import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute'
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor'
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule'
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { Job } from 'kubernetes-models/batch/v1/Job'
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { Pod } from 'kubernetes-models/v1/Pod'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'

import type { Manifest } from './chart.ts'

type Model = { apiVersion: string; kind: string; new (data: never): { validate(): void } }

const models: Model[] = [
  ConfigMap,
  Deployment,
  ExternalSecret,
  HTTPRoute,
  HorizontalPodAutoscaler,
  Ingress,
  Job,
  NetworkPolicy,
  Pod,
  PodDisruptionBudget,
  PodMonitor,
  PrometheusRule,
  Service,
  ServiceAccount,
  ServiceMonitor,
]

/** Returns what is wrong with an object, or undefined. */
export function problemOf(manifest: Manifest): string | undefined {
  const { apiVersion, kind, metadata } = manifest
  const model = models.find((model) => model.apiVersion === apiVersion && model.kind === kind)
  if (model === undefined) return `${kind} of ${apiVersion} has no schema here: add its model`
  try {
    new model(manifest as never).validate()
    return undefined
  } catch (error) {
    return `${kind} ${metadata.name}: ${(error as Error).message}`
  }
}
