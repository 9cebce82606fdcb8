package argocd

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// Health is what the health script says of an object.
type Health struct {
	// Status is one of Argo CD's health states.
	Status string
	// Message is for people.
	Message string
}

// HealthOf is what the health script of its kind says of an object, in the machine that Argo CD runs scripts
// in: with Lua's base and table libraries only. It may be called by several at a time.
func HealthOf(object map[string]any) (Health, error) {
	script := healthScript
	if object["kind"] == "EcsEndpoint" {
		script = endpointHealthScript
	}
	compiled, err := script()
	if err != nil {
		return Health{}, err
	}
	state, err := newState()
	if err != nil {
		return Health{}, err
	}
	defer state.Close()
	state.SetGlobal("obj", value(state, object))
	state.Push(state.NewFunctionFromProto(compiled))
	if err := state.PCall(0, 1, nil); err != nil {
		return Health{}, fmt.Errorf("running health.lua: %w", err)
	}
	said, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return Health{}, fmt.Errorf("health.lua returned a %s, wanted a table", state.Get(-1).Type())
	}
	return Health{lua.LVAsString(said.RawGetString("status")), lua.LVAsString(said.RawGetString("message"))}, nil
}

var (
	healthScript         = sync.OnceValues(func() (*lua.FunctionProto, error) { return compile(HealthScript()) })
	endpointHealthScript = sync.OnceValues(func() (*lua.FunctionProto, error) { return compile(EndpointHealthScript()) })
)

func compile(script string) (*lua.FunctionProto, error) {
	parsed, err := parse.Parse(strings.NewReader(script), "health.lua")
	if err != nil {
		return nil, fmt.Errorf("parsing health.lua: %w", err)
	}
	compiled, err := lua.Compile(parsed, "health.lua")
	if err != nil {
		return nil, fmt.Errorf("compiling health.lua: %w", err)
	}
	return compiled, nil
}

// newState is a machine without the libraries that reach out of it.
func newState() (*lua.LState, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			state.Close()
			return nil, fmt.Errorf("opening Lua's library %s: %w", name, err)
		}
	}
	return state, nil
}

// value is a value of a JSON document in Lua: what is absent there is nil here, and so is null.
func value(state *lua.LState, document any) lua.LValue {
	switch document := document.(type) {
	case bool:
		return lua.LBool(document)
	case string:
		return lua.LString(document)
	case float64:
		return lua.LNumber(document)
	case int64:
		return lua.LNumber(document)
	case int:
		return lua.LNumber(document)
	case json.Number:
		return lua.LString(document)
	case []any:
		table := state.CreateTable(len(document), 0)
		for _, item := range document {
			table.Append(value(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(document))
		for name, item := range document {
			table.RawSetString(name, value(state, item))
		}
		return table
	default:
		return lua.LNil
	}
}
