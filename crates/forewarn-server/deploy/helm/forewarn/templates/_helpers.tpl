{{- define "forewarn.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "forewarn.selector" -}}
app.kubernetes.io/name: forewarn
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "forewarn.labels" -}}
{{ include "forewarn.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}
