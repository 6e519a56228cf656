{{/* The Deployment of a role. Takes root and role. */}}
{{- define "rookery.deployment" -}}
{{- $values := index .root.Values .role }}
{{- $name := printf "%s-%s" (include "rookery.fullname" .root) .role }}
{{- $of := dict "root" .root "component" .role }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include "rookery.labels" $of | nindent 4 }}
spec:
  {{- if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  # A pod goes when the one that takes its place is ready.
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels: {{- include "rookery.selector" $of | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "rookery.selector" $of | nindent 8 }}
        {{- with merge (dict) $values.podLabels .root.Values.commonLabels }}{{ toYaml . | nindent 8 }}{{ end }}
      annotations:
        checksum/config: {{ include "rookery.configmap" .root | sha256sum }}
        {{- with $values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec: {{- include "rookery.pod" . | trim | nindent 6 }}
{{- end }}

{{/* Seconds that a pod has to stop: until nobody sends to it, for what runs, and fifteen beyond. */}}
{{- define "rookery.graceSeconds" -}}
{{- $delay := include "rookery.variable" (merge (dict "env" "ROOKERY_HTTP_STOP_DELAY_MS") .) | int }}
{{- $drain := include "rookery.variable" (merge (dict "env" "ROOKERY_HTTP_DRAIN_MS") .) | int }}
{{- add (div (add $delay $drain 999) 1000) 15 }}
{{- end }}

{{- define "rookery.pod" -}}
{{- $root := .root }}
{{- $values := index .root.Values .role }}
serviceAccountName: {{ include "rookery.serviceAccountName" $root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "rookery.graceSeconds" . }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext: {{- include "rookery.podSecurity" . | nindent 2 }}
containers:
  - name: {{ .role }}
    image: {{ include "rookery.image" $root | quote }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    args: [apps/{{ .role }}/src/main.ts]
    securityContext: {{- include "rookery.containerSecurity" . | nindent 6 }}
    envFrom:
      - configMapRef: { name: {{ include "rookery.fullname" $root }} }
    env:
      {{- range $env, $value := $values.config }}
      - name: {{ $env }}
        value: {{ $value | quote }}
      {{- end }}
      {{- include "rookery.secretEnv" . | trim | nindent 6 }}
    ports:
      {{- if has .role (list "api" "firehose") }}
      - { name: http, containerPort: 2583 }
      {{- end }}
      - { name: internal, containerPort: 2590 }
    # Roles open the internal port when the schema is there: a quarter of an hour for a migration.
    startupProbe:
      httpGet: { path: /livez, port: internal }
      periodSeconds: 2
      timeoutSeconds: 2
      failureThreshold: 450
    livenessProbe:
      httpGet: { path: /livez, port: internal }
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: { path: /readyz, port: internal }
      periodSeconds: 5
      timeoutSeconds: 3
      failureThreshold: 2
    resources: {{- toYaml $values.resources | nindent 6 }}
    volumeMounts:
      - { name: tmp, mountPath: /tmp }
volumes:
  - name: tmp
    emptyDir: { sizeLimit: 1Gi }
{{- include "rookery.placement" . }}
{{- end }}

{{- define "rookery.placement" -}}
{{- $values := index .root.Values .role }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if kindIs "slice" $values.topologySpreadConstraints }}
{{- with $values.topologySpreadConstraints }}
topologySpreadConstraints: {{- toYaml . | nindent 2 }}
{{- end }}
{{- else }}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "rookery.selector" (dict "root" $.root "component" $.role) | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}
