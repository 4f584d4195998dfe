{{/*
What users may reach, as "<service> <port> <path prefix>". The longest prefix wins. Never /metrics or /internal.
/api/v1/predictions is under /api, but to some controllers (Traefik) /api/v1/predict is a prefix of it.
*/}}
{{- define "modelport.routes" -}}
gateway 8080 /predict
gateway 8080 /api/v1/predict
gateway 8080 /v2
control-api 8000 /api/v1/predictions
control-api 8000 /api
control-api 8000 /ui
control-api 8000 /docs
control-api 8000 /help
control-api 8000 /sdk
control-api 8000 /redoc
control-api 8000 /openapi.json
control-api 8000 /.well-known
control-api 8000 /healthz
{{- end -}}
