{{- define "rookery.roles" -}}api firehose sequencer worker{{- end }}

{{- define "rookery.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Labels that select pods; they never change. Takes root and component. */}}
{{- define "rookery.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "rookery.labels" -}}
{{ include "rookery.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "rookery.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "rookery.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "rookery.fullname" .) .Values.serviceAccount.name }}
{{- else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{/* The text of a variable for a role: its own, everybody's, the process's default. Takes root, role and env. */}}
{{- define "rookery.variable" -}}
{{- $declared := index (.root.Files.Get "files/variables.generated.json" | fromJson) .env | default dict }}
{{- $own := (index .root.Values .role | default dict).config | default dict }}
{{- coalesce (index $own .env) (index .root.Values.config .env) $declared.default | default "" }}
{{- end }}

{{/* Secret variables that a role reads, as entries of env. Takes root and role. */}}
{{- define "rookery.secretEnv" -}}
{{- $declared := .root.Files.Get "files/variables.generated.json" | fromJson }}
{{- $secrets := .root.Values.secrets }}
{{- range $env, $source := $secrets.variables }}
{{- $roles := (index $declared $env).roles }}
{{- if or (has "all" $roles) (has $.role $roles) }}
- name: {{ $env }}
  valueFrom:
    secretKeyRef:
      name: {{ default $secrets.existingSecret $source.existingSecret }}
      key: {{ default $env $source.key }}
{{- end }}
{{- end }}
{{- end }}

{{- define "rookery.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "rookery.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
