// A plugin in Go, as a c-shared library.
package main

// #include "table.h"
import "C"

import (
	"encoding/json"
	"errors"
	"fmt"
	"unsafe"
)

// failure is an error with the status that execute returns.
type failure struct {
	status C.par_status
	text   string
}

func (f failure) Error() string { return f.text }

func text(s C.par_str) []byte { return C.GoBytes(unsafe.Pointer(s.ptr), C.int(s.len)) }

func greet(inputs []byte, _ *C.par_call) (any, error) {
	return map[string]any{"greeted": json.RawMessage(inputs)}, nil
}

func pause(_ []byte, call *C.par_call) (any, error) {
	if C.call_wait(call, 20) != C.PAR_OK {
		return nil, failure{C.PAR_CANCELLED, "cancelled while waiting"}
	}
	return map[string]any{}, nil
}

var actions = map[string]func([]byte, *C.par_call) (any, error){"greet": greet, "pause": pause}

func run(request *C.par_request, call *C.par_call) (err error) {
	// A panic must not leave the plugin.
	defer func() {
		if p := recover(); p != nil {
			err = failure{C.PAR_INTERNAL, fmt.Sprint("the plugin panicked: ", p)}
		}
	}()
	name := string(text(request.action))
	action := actions[name]
	if action == nil {
		return failure{C.PAR_INTERNAL, "no action " + name}
	}
	result, err := action(text(request.inputs_json), call)
	if err != nil {
		return err
	}
	body, err := json.Marshal(result)
	if err != nil {
		return err
	}
	if status := C.call_result(call, (*C.char)(unsafe.Pointer(&body[0])), C.size_t(len(body))); status != C.PAR_OK {
		return failure{status, "the result was refused"}
	}
	return nil
}

//export goExecute
func goExecute(_ *C.par_host, request *C.par_request, call *C.par_call) C.par_status {
	err := run(request, call)
	if err == nil {
		return C.PAR_OK
	}
	message := []byte(err.Error() + " ")
	C.call_error(call, (*C.char)(unsafe.Pointer(&message[0])), C.size_t(len(message)-1))
	var known failure
	if errors.As(err, &known) {
		return known.status
	}
	return C.PAR_ERROR
}

func main() {}
