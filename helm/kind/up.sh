#!/usr/bin/env bash
# `make kind-up`: a cluster in Docker with the platform from this checkout in it. Safe to repeat.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=modelport-dev
context=kind-$name

for tool in docker kind kubectl helm; do
  command -v "$tool" > /dev/null || { echo "make kind-up needs $tool, which is not on PATH." >&2; exit 1; }
done

echo "==> [1/4] The cluster $name"
kind get clusters | grep -qx "$name" || kind create cluster --name "$name" --config helm/kind/cluster.yaml --wait 120s

echo "==> [2/4] The images"
# Tagged by what is in the checkout, so that a second run rolls out what has changed.
TAG=dev-$(git rev-parse --short HEAD)$(git diff --quiet HEAD -- || date -u +-%H%M%S)
# Without standalone, which is no part of the chart.
parts=(control-api gateway operator runtime-sklearn runtime-onnx)
TAG=$TAG BUILDER=docker bash images/build.sh "${parts[@]}"
for part in "${parts[@]}"; do
  kind load docker-image --name "$name" "modelport-$part:$TAG"
done

echo "==> [3/4] The ingress controller"
helm upgrade --install traefik traefik --repo https://traefik.github.io/charts --kube-context "$context" \
  --namespace traefik --create-namespace --wait --set service.type=NodePort --set ports.web.nodePort=30080

echo "==> [4/4] The platform"
helm upgrade --install modelport helm/modelport --kube-context "$context" --namespace modelport --create-namespace \
  --values helm/kind/values.yaml --set "image.tag=$TAG" --wait --timeout 10m > /dev/null

cat <<END

Modelport runs at http://localhost:8080 (API: http://localhost:8080/docs). Next:

  export MODELPORT_URL=http://localhost:8080
  modelport register you@example.com
  modelport upload model.joblib

  kubectl --context $context get mlmodels --all-namespaces
  helm test modelport --kube-context $context --namespace modelport
  kind delete cluster --name $name        # when done
END
