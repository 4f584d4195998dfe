{{/* The package index of own requirements, or "". Values of an earlier release have none. */}}
{{- define "modelport.packageIndex" -}}
{{- (.Values.runtime.requirements).index -}}
{{- end -}}

{{/* How that is reached, as a JSON list of egress rules: a policy knows no names, so it is the index's port on the public internet unless rules are given. */}}
{{- define "modelport.indexEgress" -}}
{{- $requirements := .Values.runtime.requirements -}}
{{- if $requirements.egress -}}
{{- toJson $requirements.egress -}}
{{- else -}}
{{- $url := urlParse $requirements.index -}}
{{- $named := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $port := default (ternary "80" "443" (eq $url.scheme "http")) $named | int -}}
{{- $private := list "0.0.0.0/8" "10.0.0.0/8" "100.64.0.0/10" "127.0.0.0/8" "169.254.0.0/16" "172.16.0.0/12" "192.0.0.0/24" "192.168.0.0/16" "198.18.0.0/15" "224.0.0.0/3" "168.63.129.16/32" "161.26.0.0/16" "166.8.0.0/14" -}}
{{- $private6 := list "2001::/23" "2001:db8::/32" "2002::/16" "3fff::/20" -}}
{{- $public := list (dict "ipBlock" (dict "cidr" "0.0.0.0/0" "except" $private)) (dict "ipBlock" (dict "cidr" "2000::/3" "except" $private6)) -}}
{{- list (dict "to" $public "ports" (list (dict "port" $port "protocol" "TCP"))) | toJson -}}
{{- end -}}
{{- end -}}
