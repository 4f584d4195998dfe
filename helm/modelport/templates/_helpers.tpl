{{- define "modelport.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels by which a component's pods are found. Arguments: root context, component. They never change. */}}
{{- define "modelport.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: modelport
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of every object. Arguments: root context, component. */}}
{{- define "modelport.labels" -}}
{{- $root := index . 0 -}}
{{ include "modelport.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: modelport
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* One of our own images. Arguments: root context, the image's values. */}}
{{- define "modelport.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $name := $image.repository -}}
{{- if $root.Values.image.registry -}}
{{- $name = printf "%s/%s" (trimSuffix "/" $root.Values.image.registry) $name -}}
{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default (default $root.Chart.AppVersion $root.Values.image.tag) $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "modelport.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Ids of all pods but the databases', as JSON. Values of an earlier release have none: then those of the images. */}}
{{- define "modelport.podIds" -}}
{{- if hasKey .Values "podSecurityContext" -}}
{{- toJson .Values.podSecurityContext -}}
{{- else -}}
{{- dict "runAsUser" 65532 "runAsGroup" 65532 "fsGroup" 65532 | toJson -}}
{{- end -}}
{{- end -}}

{{- define "modelport.podSecurity" -}}
{{- include "modelport.restricted" (include "modelport.podIds" . | fromJson) -}}
{{- end -}}

{{/* Of a built-in database's pod. Argument: the id of user and groups, or null. */}}
{{- define "modelport.databasePodSecurity" -}}
{{- include "modelport.restricted" (dict "runAsUser" . "runAsGroup" . "fsGroup" .) -}}
{{- end -}}

{{/* What Pod Security "restricted" asks of a pod. Argument: ids by name; one that is null is the cluster's to give. */}}
{{- define "modelport.restricted" -}}
{{- $ids := . -}}
runAsNonRoot: true
{{- range $name := list "runAsUser" "runAsGroup" "fsGroup" }}
{{- $id := get $ids $name }}
{{- if or $id (eq (toString $id) "0") }}
{{ $name }}: {{ int64 $id }}
{{- end }}
{{- end }}
# Not a walk over all files of the volume at each start.
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "modelport.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Where a component's pods run. Arguments: root context, component, the component's values. */}}
{{- define "modelport.placement" -}}
{{- $values := index . 2 -}}
topologySpreadConstraints:
  # Of nodes first, of zones too: losing one should not take a whole component. Never a reason to stay pending.
  - {{ dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway" "labelSelector" (dict "matchLabels" (include "modelport.selector" . | fromYaml)) | toJson }}
  - {{ dict "maxSkew" 1 "topologyKey" "topology.kubernetes.io/zone" "whenUnsatisfiable" "ScheduleAnyway" "labelSelector" (dict "matchLabels" (include "modelport.selector" . | fromYaml)) | toJson }}
{{- with $values.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with $values.affinity }}
affinity: {{ toJson . }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* What control API and worker keep free on the volume of model files. Values of an earlier release have none. */}}
{{- define "modelport.diskReserveEnv" -}}
{{- if hasKey .Values.settings "diskReserveBytes" }}
- {name: MODELPORT_CONTROL_API_DISK_RESERVE_BYTES, value: {{ int64 .Values.settings.diskReserveBytes | quote }}}
{{- end }}
{{- end -}}

{{/* Values of an earlier release have none. */}}
{{- define "modelport.userBytesEnv" -}}
{{- if hasKey .Values.settings "userMaxBytes" }}
- {name: MODELPORT_CONTROL_API_USER_MAX_BYTES, value: {{ int64 .Values.settings.userMaxBytes | quote }}}
{{- end }}
{{- end -}}

{{/* Environment from a map of values. */}}
{{- define "modelport.env" -}}
{{- range $name, $value := . }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end -}}

{{/* A Secret's entry that is there already, decoded, or "". Arguments: root context, Secret, key. */}}
{{- define "modelport.existing" -}}
{{- $root := index . 0 -}}
{{- $secret := lookup "v1" "Secret" $root.Release.Namespace (index . 1) -}}
{{- if $secret -}}
{{- index (default dict $secret.data) (index . 2) | default "" | b64dec -}}
{{- end -}}
{{- end -}}

{{- define "modelport.databaseSecret" -}}
{{- if .Values.postgresql.external.existingSecret -}}
{{- .Values.postgresql.external.existingSecret -}}
{{- else if .Values.postgresql.external.url -}}
{{- include "modelport.fullname" . }}-database
{{- else if .Values.postgresql.auth.existingSecret -}}
{{- .Values.postgresql.auth.existingSecret -}}
{{- else -}}
{{- include "modelport.fullname" . }}-postgresql
{{- end -}}
{{- end -}}

{{/* Whether this release runs PostgreSQL: "true" or "". */}}
{{- define "modelport.hasPostgresql" -}}
{{- $external := or .Values.postgresql.external.url .Values.postgresql.external.existingSecret -}}
{{- if and (not $external) (not .Values.postgresql.enabled) -}}
{{- fail "postgresql.enabled is false: give postgresql.external.url or postgresql.external.existingSecret" -}}
{{- end -}}
{{- if not $external }}true{{ end -}}
{{- end -}}

{{- define "modelport.hasRedis" -}}
{{- if and .Values.redis.enabled (not .Values.redis.external.url) (not .Values.redis.external.existingSecret) }}true{{ end -}}
{{- end -}}

{{- define "modelport.redisSecret" -}}
{{- if .Values.redis.external.existingSecret -}}
{{- .Values.redis.external.existingSecret -}}
{{- else if .Values.redis.external.url -}}
{{- include "modelport.fullname" . }}-redis-external
{{- else if not .Values.redis.enabled -}}
{{- else if .Values.redis.auth.existingSecret -}}
{{- .Values.redis.auth.existingSecret -}}
{{- else -}}
{{- include "modelport.fullname" . }}-redis
{{- end -}}
{{- end -}}

{{- define "modelport.adminSecret" -}}
{{- default (printf "%s-admin" (include "modelport.fullname" .)) .Values.admin.existingSecret -}}
{{- end -}}

{{- define "modelport.signingKeysSecret" -}}
{{- default (printf "%s-signing-keys" (include "modelport.fullname" .)) .Values.signingKeys.existingSecret -}}
{{- end -}}

{{/* A release upgraded with the values of one that had none has no .Values.internalKey. */}}
{{- define "modelport.internalKeySecret" -}}
{{- default (printf "%s-internal" (include "modelport.fullname" .)) (.Values.internalKey).existingSecret -}}
{{- end -}}

{{- define "modelport.internalUrl" -}}
http://{{ include "modelport.fullname" . }}-control-api-internal.{{ .Release.Namespace }}.svc:8001
{{- end -}}

{{/* "all", "some" or "" (the models namespace only). */}}
{{- define "modelport.otherNamespaces" -}}
{{- if has "*" .Values.watchNamespaces }}all{{ else if .Values.watchNamespaces }}some{{ end -}}
{{- end -}}

{{- define "modelport.publicUrl" -}}
{{- if .Values.publicUrl -}}
{{- .Values.publicUrl -}}
{{- else if and .Values.ingress.enabled .Values.ingress.host -}}
{{- ternary "https" "http" (not (empty .Values.ingress.tls.secretName)) }}://{{ .Values.ingress.host }}
{{- else if and .Values.httpRoute.enabled .Values.httpRoute.hostnames -}}
https://{{ first .Values.httpRoute.hostnames }}
{{- end -}}
{{- end -}}

{{/* Environment of gateway and control API alike. */}}
{{- define "modelport.sharedEnv" -}}
- {name: MODELPORT_LOG_LEVEL, value: {{ .Values.settings.logLevel | quote }}}
{{- with .Values.settings.trustedProxies }}
- {name: MODELPORT_TRUSTED_PROXIES, value: {{ . | quote }}}
{{- end }}
{{- with .Values.settings.corsOrigins }}
- {name: MODELPORT_CORS_ORIGINS, value: {{ . | quote }}}
{{- end }}
{{- with include "modelport.redisSecret" . }}
- name: MODELPORT_REDIS_URL
  valueFrom: {secretKeyRef: {name: {{ . }}, key: url}}
{{- end }}
{{ include "modelport.internalKeyEnv" . }}
{{- end -}}

{{/* Of all who ask, or answer, on the control API's internal port. */}}
{{- define "modelport.internalKeyEnv" -}}
- name: MODELPORT_INTERNAL_KEY
  valueFrom: {secretKeyRef: {name: {{ include "modelport.internalKeySecret" . }}, key: key}}
{{- end -}}
