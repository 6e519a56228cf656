{{/* What a schema cannot say: each refusal is a sentence with what to do. */}}
{{- define "rookery.validate" -}}
{{- $values := .Values }}
{{- if not $values.image.repository }}
{{- fail "image.repository is empty: push the image of infra/docker/Dockerfile to a registry and name it here." }}
{{- end }}
{{- if eq (include "rookery.variable" (dict "root" . "role" "api" "env" "ROOKERY_BLOBS_DRIVER")) "disk" }}
{{- fail "ROOKERY_BLOBS_DRIVER is disk, which several pods cannot share: set it to s3 and name a bucket." }}
{{- end }}
{{- range $role := list "api" "worker" }}
{{- if not (include "rookery.variable" (dict "root" $ "role" $role "env" "ROOKERY_BLOBS_S3_BUCKET")) }}
{{- fail "config.ROOKERY_BLOBS_S3_BUCKET is missing: name the bucket that holds the blobs." }}
{{- end }}
{{- end }}
{{- range $role := splitList " " (include "rookery.roles" .) }}
{{- $of := index $values $role }}
{{- with $of.podDisruptionBudget }}
{{- if not (or (kindIs "invalid" .minAvailable) (kindIs "invalid" .maxUnavailable)) }}
{{- fail (printf "%s.podDisruptionBudget has both minAvailable and maxUnavailable: keep one of them." $role) }}
{{- end }}
{{- end }}
{{- with $of.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail (printf "%s.autoscaling.minReplicas is above maxReplicas: exchange them." $role) }}
{{- end }}
{{- if and .enabled (not .metrics) }}
{{- fail (printf "%s.autoscaling is on without metrics: name what it goes by, or switch it off." $role) }}
{{- end }}
{{- end }}
{{- end }}
{{- if $values.sequencer.autoscaling.enabled }}
{{- fail "sequencer.autoscaling is on, but only one sequencer works: set sequencer.replicas, 2 is enough." }}
{{- end }}
{{- with $values.monitoring }}
{{- if and .podMonitor.enabled .serviceMonitor.enabled }}
{{- fail "monitoring has both podMonitor and serviceMonitor, which would read everything twice: keep one of them." }}
{{- end }}
{{- if and .prometheusRule.enabled (not (regexMatch "^https?://" .prometheusRule.runbooks)) }}
{{- fail "monitoring.prometheusRule.runbooks is no URL: name where whoever is woken can read docs/operations.md." }}
{{- end }}
{{- end }}
{{- if and (or $values.ingress.enabled $values.gateway.enabled) (not $values.hostnames) }}
{{- fail "hostnames is empty, so nothing would be routed: name your hosts, and your handle domains as *.example.com." }}
{{- end }}
{{- if and $values.gateway.enabled (not $values.gateway.parentRefs) }}
{{- fail "gateway.parentRefs is empty: name the Gateway that the route belongs to." }}
{{- end }}
{{- end }}
