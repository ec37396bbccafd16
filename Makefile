# Everything a user types. `make help` prints the lines that begin with ##.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
comma := ,
READY := $(VENV)/.ready$(EXTRAS)

# A variable as one word of the shell, whatever it holds: spaces, quotes, dollars.
quoted = '$(subst ','\'',$(value $1))'
option = $(if $(value $2),$1 $(call quoted,$2))
# ARGS are words already, as the shell reads them.
args = $(value ARGS)
# make train-cgan DATASET=mnist EPOCHS=20: variables become options of the program.
options = $(call option,--dataset,DATASET) $(call option,--data-dir,DATA_DIR) \
	$(call option,--epochs,EPOCHS) $(call option,--batch-size,BATCH_SIZE) \
	$(call option,--name,NAME) $(args)
# RUN is a folder; MODEL one in saved_models.
named = $(if $(value $1),$(call quoted,$1),$2)
model = $(if $(value RUN),$(call quoted,RUN),saved_models/$(call named,MODEL,$1))

.DEFAULT_GOAL := help
.PHONY: help setup tensorboard walk generate project translate serve client explore export \
	evaluate results benchmark theory test test-fast test-gpu lint

help:
	@sed -n 's/^## \{0,1\}//p' $(MAKEFILE_LIST)

# A working environment stays, unless another interpreter than its own is asked for by name.
ifneq ($(origin PYTHON),file)
identity := import sys; print(sys.version, sys.base_prefix)
# By -E without what other software sets, which reaches what is asked here.
identify = $(if $(shell command -v $1),$(shell $1 -Ec '$(identity)'))
ifneq ($(call identify,$(PYTHON)),$(call identify,$(PY)))
OTHER_PYTHON := other-python
other-python:
endif
endif
supported := import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))
installed := import apps.quiet, keras_gans, pytest, xdist

# What other software sets for its own Python.
unexport PYTHONPATH PYTHONHOME PYTHONSAFEPATH PYTHONPLATLIBDIR
# What pip may be told for all environments, by its variables or its files: whose index to ask
# stays, where to install does not.
unexport PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON
pip_install = PIP_USER=0 PIP_NO_DEPS=0 PIP_DRY_RUN=0 $(PY) -m pip install --quiet \
	--disable-pip-version-check --no-warn-script-location --target= --root=/ \
	--prefix="$$(cd $(VENV) && pwd)"

# Made again when the requirements change; a broken attempt leaves no mark, so the next one repeats it.
$(READY): setup.cfg pyproject.toml $(OTHER_PYTHON)
	@test -z '$(OTHER_PYTHON)' && $(PY) -c 'import pip; $(supported)' 2> /dev/null || { \
		$(PYTHON) -c '$(supported)' || { echo 'keras_gans needs Python 3.10, 3.11, 3.12 or 3.13,' \
			"as TensorFlow does: make PYTHON=python3.12 ... Received: $$($(PYTHON) -V 2>&1)" >&2; \
			exit 2; }; \
		$(PYTHON) -m venv --clear $(VENV) || { echo 'Python cannot make virtual environments:' \
			'on Debian, apt install python3-venv' >&2; exit 2; }; }
	@echo 'Setting up $(VENV) (once, a few minutes)'
	@rm -f $(VENV)/.ready*
	@extras='test$(addprefix $(comma),$(EXTRAS))'; if nvidia-smi -L > /dev/null 2>&1; then \
		extras="$$extras,cuda"; \
		echo 'NVIDIA driver found: TensorFlow comes with its CUDA libraries'; fi; \
		$(pip_install) --editable ".[$$extras]"
	@$(PY) -c '$(installed)' || { echo 'The packages are installed, but cannot be imported: see' \
		'above, and pip config list' >&2; exit 1; }
	@touch $(VENV)/.ready $@

## Train
##   make train-cgan              train, show, export; likewise train-gan, train-dcgan, train-wgan-gp,
##                                train-r3gan, train-vae, train-aae, train-autoencoder, train-cyclegan
##       DATASET=mnist DATA_DIR=folder EPOCHS=20 BATCH_SIZE=128 NAME=mine ARGS="--seed 1"
##       WORKERS=2                on two processes of this machine; ARGS=--help for all options
train-%: $(READY)
	@$(PY) -m $(if $(WORKERS),apps.workers $(WORKERS),apps.train) $* $(options)

## Look
##   make tensorboard             the dashboard of runs/; PORT=6006
tensorboard: $(READY)
	@mkdir -p runs
	@$(PY) -c 'import apps.quiet; from tensorboard.main import run_main; run_main()' \
		--logdir runs --port $(or $(PORT),6006) --samples_per_plugin images=100 $(args)

##   make walk MODEL=cgan         animate the latent space; RUN=runs/mine, ARGS=--classes
walk: $(READY)
	@$(PY) -m apps.walk $(call model,cgan) $(args)

## Use
##   make generate MODEL=cgan     images of the newest export; RUN=runs/mine, ARGS="--label 7"
generate: $(READY)
	@$(PY) -m apps.generate $(call model,cgan) $(args)

##   make project INPUT=a.png     the latent of the nearest image, to walk from; RUN=runs/mine
project: $(READY)
	@$(PY) -m apps.project $(call model,r3gan) $(call named,INPUT) $(args)

##   make translate INPUT=photos  pictures to the other domain; ARGS="--direction y-to-x --out folder"
translate: $(READY)
	@$(PY) -m apps.translate $(call model,cyclegan) $(call named,INPUT) $(args)

##   make serve MODEL=cgan        REST and gRPC; without MODEL all; ARGS="--port 8501"
serve: $(READY)
	@$(PY) -m apps.serve $(call named,MODEL) $(args)

##   make client MODEL=cgan       images from a running server; ARGS="--label 7 --out folder"
client: $(READY)
	@$(PY) -m apps.client generate --model $(call named,MODEL,cgan) $(args)

##   make explore                 a page to play with the newest exports; ARGS="--port 8080"
explore: $(READY)
	@$(PY) -m apps.explore $(args)

##   make export RUN=runs/mine    publish its best checkpoint; ARGS="--checkpoint last"
export: $(READY)
	@$(PY) -m apps.export $(call named,RUN) $(args)

## Measure
##   make evaluate RUN=runs/mine  score its samples; ARGS="--compare runs/a runs/b"
evaluate: $(READY)
	@$(PY) -m apps.evaluate $(call named,RUN) $(args)

##   make results                 the README's table of MNIST anew, in hours; DATA_DIR=folder
results: $(READY)
	@$(PY) -m apps.results $(call option,--data-dir,DATA_DIR) $(call option,--epochs,EPOCHS) $(args)

##   make benchmark               time the training step; ARGS="dcgan --batch-sizes 32 128"
benchmark: $(READY)
	@$(PY) -m apps.benchmark $(args)

##   make theory                  test what texts claim about GANs; CLAIM=modes, ARGS="--claim a b"
theory: $(READY)
	@$(PY) -m apps.theory $(call option,--claim,CLAIM) $(args)

## Develop
##   make test                    all tests; make test-fast, make test-gpu: parts; make lint: style
test: $(READY)
	@$(PY) -m pytest -n auto --dist worksteal $(args)

test-fast: $(READY)
	@$(PY) -m pytest -n auto --dist worksteal -m "not slow" $(args)

test-gpu: $(READY)
	@$(PY) -m pytest -m gpu tests/test_gpu.py $(args)

lint: $(READY)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

##   make setup                   only make .venv; PYTHON=python3.12, EXTRAS=test-cluster,test-browser
setup: $(READY)
