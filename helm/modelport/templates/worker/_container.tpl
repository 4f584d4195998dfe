{{/* The batch worker. Arguments: root context, where it asks for pods, whether it is beside the control API. */}}
{{- define "modelport.workerContainer" -}}
{{- $root := index . 0 -}}
{{- $beside := index . 2 -}}
{{- with $root.Values.worker -}}
name: worker
image: {{ include "modelport.image" (list $root $root.Values.controlApi.image) }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
args: [worker]
env:
  - name: MODELPORT_CONTROL_API_DATABASE_URL
    valueFrom: {secretKeyRef: {name: {{ include "modelport.databaseSecret" $root }}, key: url}}
  - {name: MODELPORT_CONTROL_API_ARTIFACTS_URL, value: {{ default "/var/lib/modelport/artifacts" $root.Values.artifacts.url | quote }}}
  - {name: MODELPORT_CONTROL_API_INTERNAL_URL, value: {{ index $ 1 | quote }}}
  {{- include "modelport.diskReserveEnv" $root | nindent 2 }}
  {{- include "modelport.userBytesEnv" $root | nindent 2 }}
  {{- include "modelport.internalKeyEnv" $root | nindent 2 }}
  - {name: MODELPORT_LOG_LEVEL, value: {{ $root.Values.settings.logLevel | quote }}}
  {{- include "modelport.env" .env | nindent 2 }}
{{- with $root.Values.artifacts.credentialsSecret }}
envFrom:
  - secretRef: {name: {{ . }}}
{{- end }}
ports:
  - {name: worker, containerPort: 8002}
startupProbe:
  httpGet: {path: /healthz, port: worker}
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: worker}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- if not $beside }}
readinessProbe:
  httpGet: {path: /readyz, port: worker}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}
securityContext: {{- include "modelport.containerSecurity" $root | nindent 2 }}
resources: {{- toYaml .resources | nindent 2 }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if empty $root.Values.artifacts.url }}
  - {name: artifacts, mountPath: /var/lib/modelport/artifacts}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* "own" Deployment, "beside" the control API in its pod, or "" with the values of a release that had none. */}}
{{- define "modelport.workerPlace" -}}
{{- if and .Values.worker (gt (int .Values.worker.replicas) 0) -}}
{{- if or .Values.artifacts.url (eq .Values.artifacts.persistence.accessMode "ReadWriteMany") }}own{{ else }}beside{{ end -}}
{{- end -}}
{{- end -}}
