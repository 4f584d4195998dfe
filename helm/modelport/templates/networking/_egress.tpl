{{/* Whether the platform's pods call those alone that they need: "true" or "". Values of an earlier release say nothing. */}}
{{- define "modelport.closedEgress" -}}
{{- if and .Values.networkPolicy.enabled (eq (toString .Values.networkPolicy.allowExternalEgress) "false") }}true{{ end -}}
{{- end -}}

{{/* Further rules of a component, with those of DNS, as YAML, or "". Arguments: root context, key of extraEgress. */}}
{{- define "modelport.extraEgress" -}}
{{- $policy := (index . 0).Values.networkPolicy -}}
{{- with get (default dict $policy.extraEgress) (index . 1) -}}
{{- concat . (default list $policy.dns) | toYaml -}}
{{- end -}}
{{- end -}}

{{/* A rule to pods of this release, as JSON. Arguments: root context, component, port. */}}
{{- define "modelport.egressTo" -}}
{{- $pods := dict "podSelector" (dict "matchLabels" (include "modelport.selector" . | fromYaml)) -}}
{{- dict "to" (list $pods) "ports" (list (dict "port" (index . 2) "protocol" "TCP")) | toJson -}}
{{- end -}}

{{/* A rule to the pods of models, in any namespace, as JSON. */}}
{{- define "modelport.egressToModels" -}}
{{- $labels := dict "app.kubernetes.io/name" "modelport-runtime" "app.kubernetes.io/managed-by" "modelport" -}}
{{- $pods := dict "namespaceSelector" dict "podSelector" (dict "matchLabels" $labels) -}}
{{- dict "to" (list $pods) "ports" (list (dict "port" 8080 "protocol" "TCP")) | toJson -}}
{{- end -}}

{{/* Stops where a component would be cut off. Arguments: root context, key of extraEgress, what it needs outside. */}}
{{- define "modelport.requireEgress" -}}
{{- $needed := compact (index . 2) -}}
{{- if and $needed (not (include "modelport.extraEgress" .)) -}}
{{- fail (printf "networkPolicy.allowExternalEgress is false: give networkPolicy.extraEgress.%s rules for %s" (index . 1) (join ", " $needed)) -}}
{{- end -}}
{{- end -}}

{{/* A component's whole egress. Arguments: root context, component, its rules as a list of JSON, keys of extraEgress. */}}
{{- define "modelport.egressPolicy" -}}
{{- $root := index . 0 -}}
{{- $rules := list -}}
{{- range index . 2 }}{{ if . }}{{ $rules = append $rules (fromJson .) }}{{ end }}{{ end -}}
{{- range index . 3 }}{{ $rules = concat $rules (get (default dict $root.Values.networkPolicy.extraEgress) . | default list) }}{{ end -}}
{{- $rules = concat $rules (default list $root.Values.networkPolicy.dns) -}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "modelport.fullname" $root }}-{{ index . 1 }}-egress
  labels: {{- include "modelport.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "modelport.selector" . | nindent 6 }}
  policyTypes: [Egress]
  egress: {{- toYaml $rules | nindent 4 }}
{{ end -}}
