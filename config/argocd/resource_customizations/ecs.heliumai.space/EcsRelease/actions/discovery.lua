-- An action is enabled where the controller would act on it. Before it has seen the release, or
-- its present generation, only what needs no answer is.
local status = obj.status or {}
local seen = status.conditions ~= nil and status.observedGeneration == obj.metadata.generation

local conditions = {}
if seen then
  for _, condition in ipairs(status.conditions) do
    conditions[condition.type] = condition
  end
end

local function is(kind)
  return conditions[kind] ~= nil and conditions[kind].status == "True"
end

-- Reasons of Stalled by which the controller refuses every command.
local barred = {
  AccountMismatch = true,
  AmbiguousEnvironment = true,
  DuplicateService = true,
  IdentityConflict = true,
  NoEnvironment = true,
  ServiceConflict = true,
}

local suspended = obj.spec.suspend == true
local held = status.hold ~= nil
local stalled = is("Stalled")
local allowed = seen and not (stalled and barred[conditions.Stalled.reason])
-- An image that is missing is not retried: the release goes on by itself when it arrives.
local failed = status.failure ~= nil and status.failure.class ~= "ImageMissing"

-- What a release brought, to be compared: its images and task definitions.
local function brought(entry)
  local parts, revisions = {}, {}
  for _, image in ipairs(entry.images or {}) do
    table.insert(parts, (image.container or "") .. "=" .. image.image .. "@" .. (image.digest or ""))
  end
  for _, revision in ipairs(entry.revisions or {}) do
    table.insert(revisions, revision)
  end
  table.sort(revisions)
  return table.concat(parts, ",") .. ";" .. table.concat(revisions, ",")
end

-- What there is to go back to: a release before the present one that ran everywhere and brought
-- something else.
local succeededBefore = false
for i, entry in ipairs(status.history or {}) do
  if i > 1 and (entry.outcome == "Released" or entry.outcome == "Adopted") and brought(entry) ~= brought(status.history[1]) then
    succeededBefore = true
  end
end

local settled = is("Ready") or (is("Reconciling") and conditions.Reconciling.reason == "Held")
local awaits = #(status.awaiting or {}) > 0

-- Reasons of Reconciling by which nothing is in flight that could be aborted.
local idle = {
  Held = true,
  ImageNotFound = true,
  RollingBack = true,
  Suspended = true,
}
local underWay = is("Reconciling") and not idle[conditions.Reconciling.reason]
for _, target in ipairs(status.targets or {}) do
  for _, service in ipairs(target.services or {}) do
    if service.state == "Deploying" or service.state == "AwaitingAction" then
      underWay = underWay or not failed
    end
  end
end

return {
  ["reconcile"] = { ["disabled"] = false, ["displayName"] = "Reconcile", ["iconClass"] = "fa fa-fw fa-sync" },
  ["retry"] = { ["disabled"] = not (allowed and (failed or is("Drifted"))), ["displayName"] = "Retry", ["iconClass"] = "fa fa-fw fa-redo" },
  ["restart"] = { ["disabled"] = not (allowed and settled and not suspended), ["displayName"] = "Restart", ["iconClass"] = "fa fa-fw fa-undo" },
  ["suspend"] = { ["disabled"] = suspended, ["displayName"] = "Suspend", ["iconClass"] = "fa fa-fw fa-pause" },
  ["resume"] = { ["disabled"] = not suspended, ["displayName"] = "Resume", ["iconClass"] = "fa fa-fw fa-play" },
  ["approve"] = { ["disabled"] = not (allowed and awaits), ["displayName"] = "Approve", ["iconClass"] = "fa fa-fw fa-check" },
  ["abort"] = { ["disabled"] = not (allowed and underWay), ["displayName"] = "Abort", ["iconClass"] = "fa fa-fw fa-stop" },
  ["hold-previous"] = { ["disabled"] = not (allowed and succeededBefore and not held and not suspended), ["displayName"] = "Hold the release before", ["iconClass"] = "fa fa-fw fa-fast-backward" },
  ["release-hold"] = { ["disabled"] = not (allowed and held), ["displayName"] = "Release the hold", ["iconClass"] = "fa fa-fw fa-fast-forward" },
}
