# The project's commands. `make help` lists them.

# `make route PATH=/v1/...` gives a request's path by the name of the shell's variable: it is kept for
# that, and the recipes get back the PATH that make was started with.
ifeq ($(origin PATH),command line)
REQUEST_PATH := $(PATH)
TOOLS := $(shell PATH=/usr/bin:/bin; tr '\0' '\n' 2>/dev/null </proc/$$PPID/environ | sed -n 's/^PATH=//p')
# Where there is no /proc, as on macOS:
override PATH := $(or $(TOOLS),/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin)
endif

# CONFIG=<folder> has the stack files and policies of an organisation, beside a release of this.
ifeq ($(origin CONFIG),command line)
ifneq ($(strip $(CONFIG)),)
export INFERENCE_CONFIG := $(abspath $(CONFIG))
# How messages tell to go on, from the folder that make was called in.
export INFERENCE_CALLED := $(PWD)
export INFERENCE_MAKE := make$(if $(filter-out $(CURDIR),$(PWD)), -C $(patsubst $(PWD)/%,%,$(CURDIR))) CONFIG=$(CONFIG)
endif
endif
# FAULTS=<file> is a plan of faults that the sandbox cloud plays.
ifeq ($(origin FAULTS),command line)
export INFERENCE_FAULTS := $(abspath $(FAULTS))
endif
# The words that targets read. One that is mistyped, or of another target, is refused: without it, the
# command would do something else than what is meant.
READ := STACK CLOUD CONFIG FAULTS VERBOSE
READ_new := ENV FROM
READ_init := SECRETS PROGRAM
READ_demo := ANSWERS
READ_serve := PORT SPEED CONSUMER ANSWERS
READ_load := MODEL CONCURRENCY REQUESTS
READ_route := MODEL PATH
READ_fit := MODEL MACHINE CONTEXT QUANTIZATION ADAPTERS RANK EP
READ_capacity := STOCKOUT QUOTAS
READ_policy := FORMAT STATE
READ_rehearse := FROM TO
READ_up := DRIFT
READ_refresh := DRIFT
READ_diff := FROM TO
READ_new-component := NAME FOLDER
READ_new-rule := ID PACK
READ_test-kills := COUNT FIRST
READ += $(foreach goal,$(MAKECMDGOALS),$(READ_$(goal)))
GIVEN := $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name)))
# Settings of the programs below, such as PULUMI_BACKEND_URL, have an underscore, as no word here has.
UNREAD := $(foreach name,$(filter-out $(READ) MAKEFLAGS PYTHON SETUP,$(GIVEN)),$(if $(findstring _,$(name)),,$(name)))
ifneq ($(UNREAD),)
$(error $(firstword $(UNREAD)): make $(firstword $(MAKECMDGOALS) help) does not read it; it reads $(READ))
endif
STACK ?= dev
CLOUD ?= sandbox
FORMAT ?= text
# Recipes read what is given as variables of the shell, "$$STACK": pasted into them it would be run.
export STACK CLOUD FORMAT REQUEST_PATH ENV FROM TO SECRETS MODEL STOCKOUT QUOTAS STATE CONCURRENCY REQUESTS
export DRIFT PORT SPEED CONSUMER ANSWERS MACHINE CONTEXT QUANTIZATION ADAPTERS RANK NAME FOLDER ID PACK PROGRAM
STACKS := $(patsubst Pulumi.%.yaml,%,$(notdir $(wildcard $(or $(INFERENCE_CONFIG),.)/Pulumi.*.yaml)))
PYTHON := .venv/bin/python
# A file's tests in their order in one process, three files at once: a third of the time they wait.
PYTEST := $(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder
lower = $(shell printf %s $1 | tr A-Z a-z)
SETUP := python3 tools/setup.py
API_SERVER := python3 tools/api_server.py
EXTENSION := python3 tools/inference_extension.py
CONTROLLER := python3 tools/controller_manager.py
LINTS := lint-types lint-style lint-generated lint-workflows
# Side by side: types are checked by one process, and tests of services wait a lot.
ABREAST := $(MAKE) --no-print-directory --jobs
# Each writes files that are made from the code; with --check it tells which are old.
PAGES := config.schema config.reference components.pages policies.schema policies.readme policies.reference tests.policies.kinds cost.reference sandbox.schema sandbox.reference sandbox.faults.reference identity.settings
# Alerts, autoscalers, rollouts and a lost region of a served request path, in real time.
MINUTES := $(addprefix tests/kubernetes/,test_alerts.py test_autoscaled_path.py test_failover.py \
  test_idle_models.py test_path_rollouts.py test_path_upgrades.py)
SERVICES := sentiment_analyzer sentiment_trainer llm_backend batch_inference
COMPILE := .venv/bin/uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-header

# The large SDKs would be compiled again by each of the processes that a run starts.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
TARGETS := help setup doctor init new up preview import images lock-images destroy drift refresh export demo replay verify serve load route fit capacity policy report rehearse diff lint $(LINTS) format check test test-kubernetes test-matrix test-faults test-kills test-fresh bench lock schema pages new-component new-rule test-quick test-rest test-services
.PHONY: $(TARGETS)
ifneq ($(filter-out $(TARGETS),$(MAKECMDGOALS)),)
$(error $(firstword $(filter-out $(TARGETS),$(MAKECMDGOALS))): make has no such target; `make help` lists them)
endif

help: ## List the targets
	@awk -F ':.*## ' -v width=80 ' \
	  /^##@ / { printf "\n%s:\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { \
	    line = sprintf("  make %-15s", $$1); \
	    for (i = 1; i <= split($$2, words, " "); i++) { \
	      if (length(line) + 1 + length(words[i]) > width) { print line; line = sprintf("%22s", "") } \
	      line = line " " words[i] \
	    } \
	    print line \
	  }' $(MAKEFILE_LIST)
	@echo
	@echo "STACK=$(subst $(eval ) ,|,$(STACKS)) picks the stack (now $$STACK)"
	@echo "CLOUD=sandbox|gcp picks the cloud (now $$CLOUD)"
	@echo "CONFIG=<folder> has your own stack files and policies, instead of those here"
	@echo "FAULTS=<file> has the sandbox cloud fail as a plan says (docs/faults.md)"
	@echo "VERBOSE=1 shows every line of a run; .sandbox/<stack>/logs has them too"

setup: ## Install the packages and the Pulumi engine; skipped when nothing changed
	@$(SETUP)

doctor preview import images destroy drift export demo replay verify:
	@$(SETUP)
	@$(PYTHON) -m launcher $@ --stack="$$STACK" --cloud="$$CLOUD" $(if $(ANSWERS),--answers="$$ANSWERS")

up refresh:
	@$(SETUP)
	@$(PYTHON) -m launcher $@ --stack="$$STACK" --cloud="$$CLOUD" $(if $(DRIFT),--drift="$$DRIFT")

##@ An environment
up: ## Make the stack, on the sandbox cloud unless CLOUD=gcp; [DRIFT=overwrite] asks nothing
doctor: ## Say what would stop the stack, and the command that mends it; CLOUD=gcp looks there too
import: ## Take over what import.<stack>.yaml names, and make the rest
images: ## Build and push what the services run, after making all but these; stand-ins on the sandbox
preview: ## Show what `up` would change, cost and violate
destroy: ## Delete everything of the stack
drift: ## Say what was changed or deleted by hand, by whom, and what mends it; changes nothing
refresh: ## Take what is in the cloud into the state; [DRIFT=overwrite] asks nothing
export: ## Print the deployment as JSON
demo: ## Send messages through the stack's pipelines on the sandbox cloud: [ANSWERS=simulated]
replay: ## Publish the dead letters of the sandbox cloud again
verify: ## Preview with the real provider plugins too, without credentials, and say what differs

new: ## Write an environment's stack file and policies after another's: ENV=staging [FROM=dev]
	@$(SETUP)
	@$(PYTHON) -m launcher new --env="$$ENV" --stack="$${FROM:-$$STACK}"

init: ## Make the stack in the state backend of Google Cloud: SECRETS=gcpkms://... [PROGRAM=identity]
	@$(SETUP)
	@$(PYTHON) -m launcher init --stack="$$STACK" --secrets="$$SECRETS" --program="$$PROGRAM"

lock-images: ## Write which digest each image's tag means, into images.<stack>.lock.yaml
	@$(SETUP)
	@python3 tools/crane.py
	@$(PYTHON) -m launcher lock-images --stack="$$STACK"

##@ Its models
serve: ## Serve the request path to the stack's large models with the real programs, until Ctrl-C: [PORT=... SPEED=1 CONSUMER=... ANSWERS=simulated]
	@$(SETUP)
	@$(API_SERVER)
	@$(EXTENSION)
	@$(CONTROLLER) --if-possible
	$(if $(filter simulated,$(ANSWERS)),,@python3 tools/smollm2.py $(if $(ANSWERS),,--if-possible))
	@$(PYTHON) -m launcher serve --stack="$$STACK" --cloud="$$CLOUD" $(if $(PORT),--port="$$PORT") $(if $(SPEED),--speed="$$SPEED") $(if $(CONSUMER),--consumer="$$CONSUMER") $(if $(ANSWERS),--answers="$$ANSWERS")

load: ## Send load through the request path, and print what it costs: [MODEL=... CONCURRENCY=8 REQUESTS=400]
	@$(SETUP)
	@$(API_SERVER)
	@$(EXTENSION)
	@python3 tools/guidellm.py
	@$(PYTHON) -m launcher load --stack="$$STACK" --model="$$MODEL" $(if $(CONCURRENCY),--concurrency="$$CONCURRENCY") $(if $(REQUESTS),--requests="$$REQUESTS")

route: ## Explain the way of a request: MODEL=... [PATH=/v1/...]; without MODEL check every way
	@$(SETUP)
	@$(PYTHON) -m launcher.route --stack="$$STACK" --cloud="$$CLOUD" --model="$$MODEL" --path="$$REQUEST_PATH"

fit: ## Say which machines hold a model: MODEL=... [MACHINE=... CONTEXT=... QUANTIZATION=... ADAPTERS=... RANK=... EP=yes]
	@$(SETUP)
	@$(PYTHON) -m launcher.fit --model="$$MODEL" $(foreach key,MACHINE CONTEXT QUANTIZATION ADAPTERS RANK,$(if $($(key)),--$(call lower,$(key))="$$$(key)")) $(if $(EP),--expert-parallel)

capacity: ## Show the quota a stack needs; QUOTAS=file compares, STOCKOUT=<zone>/<type> rehearses one
	@$(SETUP)
	@$(PYTHON) -m launcher capacity --stack="$$STACK" --cloud="$$CLOUD" --stockout="$$STOCKOUT" $(if $(QUOTAS),--quotas="$$QUOTAS")

##@ Its review
policy: ## Report what the policy packs say; FORMAT=text|json|sarif|markdown, STATE=file judges an export
	@$(SETUP)
	@$(PYTHON) -m launcher policy --stack="$$STACK" --cloud="$$CLOUD" --format="$$FORMAT" $(if $(STATE),--state="$$STATE")

report: ## Write what `up` would do as a page and a pull request's comment
	@$(SETUP)
	@$(PYTHON) -m launcher report --stack="$$STACK" --cloud="$$CLOUD"

rehearse: ## Rehearse the stack's life on copies, and write a page of it; FROM=, TO= rehearse a change
	@$(SETUP)
	@$(PYTHON) -m launcher rehearse --stack="$$STACK" --from="$$FROM" --to="$$TO"

diff: ## Print what differs: FROM=dev TO=prod, each a stack or the plan.json of a report
	@$(SETUP)
	@$(PYTHON) -m launcher.diff --from="$$FROM" --to="$$TO"

##@ Work on the program
lint: ## Check format, style, types and generated files
	@$(SETUP)
	@$(ABREAST) 2 $(LINTS)

lint-types:
	$(PYTHON) -m pyrefly check --summary=none

lint-style:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m yamllint --strict .

lint-generated:
	$(PYTHON) -m sandbox.gcp.facts_import --check
	$(PYTHON) -m policies.check
	$(PYTHON) tools/pages.py --check $(PAGES)

lint-workflows:
	@python3 tools/actionlint.py --if-possible
	if [ -x .engine/actionlint/actionlint ]; then .engine/actionlint/actionlint; fi
	.venv/bin/zizmor --offline --quiet .github

format: ## Format the code
	@$(SETUP)
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .
	$(PYTHON) tools/pages.py $(PAGES)

check: ## The quick loop: lint, and the tests of config, components and policies
	@$(SETUP)
	@$(ABREAST) 2 $(LINTS) test-quick

test-quick:
	$(PYTEST) tests/unit tests/policies tests/config

test: ## Run every check and test
	@$(SETUP)
	@$(ABREAST) 2 $(LINTS) test-services
	@$(API_SERVER) --if-possible
	@python3 tools/apigeelint.py --if-possible
	@python3 tools/vertex_pipelines.py --if-possible
	@python3 tools/vllm_parser.py --if-possible
	@python3 tools/crane.py --if-possible
	@$(MAKE) --no-print-directory test-rest

test-rest:
	@echo "NOT RUN HERE, as they take minutes: $(MINUTES); make test-kubernetes runs them"
	$(PYTEST) --durations 20 $(addprefix --ignore ,tests/services tests/demo $(MINUTES))

test-services: # apart: Google's clients bring types Pulumi has too
	$(PYTEST) --durations 20 tests/services tests/demo

test-kubernetes: ## Give every manifest to a real Kubernetes API server, endpoint picker and router, built once
	@$(SETUP)
	@$(API_SERVER)
	@$(EXTENSION)
	@$(CONTROLLER) --if-possible
	@python3 tools/promtool.py --if-possible
	@python3 tools/guidellm.py --if-possible
	@python3 tools/smollm2.py --if-possible
	@python3 tools/inference_extension_earlier.py --if-possible
	$(PYTHON) -m pytest tests/kubernetes

test-matrix: ## Make, preview and destroy every option's stack on the real engine; some minutes each
	@$(SETUP)
	$(PYTHON) -m pytest -m '' tests/engine/test_matrix.py tests/engine/test_tasks.py --durations 0
	$(PYTHON) -m pytest -m matrix tests/kubernetes/test_every_option.py

test-faults: ## Befall every call of dev and prod by every fault, and write docs/reference/fault-table.md
	@$(SETUP)
	$(PYTHON) -m tests.sandbox.fault_table
	$(PYTHON) -m pytest -m '' tests/engine/test_faults.py

test-kills: ## Kill processes of runs at random, by recorded seeds: [COUNT=200 FIRST=0]
	@$(SETUP)
	$(PYTHON) -m tests.engine.kills $(if $(COUNT),--count="$(COUNT)") $(if $(FIRST),--first="$(FIRST)")

test-fresh: ## Set up a clean clone from empty caches, up to a finished `make up`, and say how long it took
	@python3 tools/fresh.py

bench: ## Measure stacks and their growth, the policies and the services
	@$(SETUP)
	@$(PYTHON) -m bench

schema: ## Write the JSON Schemas of the files that people write
	@$(SETUP)
	$(PYTHON) tools/pages.py $(filter %.schema %.settings,$(PAGES))

pages: ## Write the pages that are made from the code: docs/components, docs/reference, the packs' tables
	@$(SETUP)
	$(PYTHON) tools/pages.py $(PAGES)

new-component: ## Make the files of a component: NAME=PrivateZone [FOLDER=network]
	@$(SETUP)
	@$(PYTHON) tools/scaffold.py component "$$NAME" $(if $(FOLDER),--folder="$$FOLDER")

new-rule: ## Make the files of a rule: ID=net-no-peering [PACK=baseline]
	@$(SETUP)
	@$(PYTHON) tools/scaffold.py rule "$$ID" $(if $(PACK),--pack="$$PACK")

lock: ## Pin every requirements.in with hashes into its requirements.txt
	@$(SETUP)
	$(COMPILE) -o requirements.txt requirements.in
	for service in $(SERVICES); do \
	  $(COMPILE) -c requirements.txt -o services/$$service/requirements.txt services/$$service/requirements.in || exit; \
	done
	for name in guidellm kfp; do \
	  $(COMPILE) -o tools/pip/$$name/requirements.txt tools/pip/$$name/requirements.in || exit; \
	done
	for name in vllm smollm2; do \
	  $(COMPILE) --config-file tools/pip/$$name/uv.toml -o tools/pip/$$name/requirements.txt tools/pip/$$name/requirements.in || exit; \
	done
