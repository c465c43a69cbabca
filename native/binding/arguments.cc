// Implements the argument checks of the addon (arguments.h): each function reads one argument or
// throws a TypeError with the code GAUSSFLOW_ARGUMENT.
#include "arguments.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "../core/guarded.h"

namespace gaussflow::arguments {

namespace {

// Offsets and lengths beyond this cannot be addressed by BLAS, whose integers have 32 bits.
constexpr size_t kMostWidth = 2147483647;

bool IsResizable(const Napi::ArrayBuffer& buffer) {
  // Node-API 8 has no call for it; the property is `true` only where the engine knows resizable
  // buffers.
  const Napi::Value flag = buffer.Get("resizable");
  return flag.IsBoolean() && flag.As<Napi::Boolean>().Value();
}

Napi::Float64Array Typed(Napi::Env env, const Napi::Value& value, const std::string& name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array)
    throw Error(env, name, "must be a Float64Array");
  return value.As<Napi::Float64Array>();
}

const double* Check(Napi::Env env, const Napi::Value& value, const std::string& name,
                    size_t length) {
  const auto array = Typed(env, value, name);
  if (array.ElementLength() != length)
    throw Error(env, name,
                "must have " + std::to_string(length) + " elements; received " +
                    std::to_string(array.ElementLength()));
  const Napi::Value buffer = value.As<Napi::Object>().Get("buffer");
  if (buffer.IsArrayBuffer() && IsResizable(buffer.As<Napi::ArrayBuffer>()))
    throw Error(env, name, "must not stand on a resizable ArrayBuffer");
  if (length > 0 && array.Data() == nullptr)
    throw Error(env, name, "must not stand on a detached ArrayBuffer");
  return array.Data();
}

}  // namespace

Napi::Error Error(Napi::Env env, const std::string& argument, const std::string& rule) {
  Napi::Error error = Napi::TypeError::New(env, argument + " " + rule);
  error.Set("code", Napi::String::New(env, "GAUSSFLOW_ARGUMENT"));
  return error;
}

const double* Doubles(const Napi::CallbackInfo& info, size_t index, const char* name,
                      size_t length) {
  return Check(info.Env(), info[index], name, length);
}

const double* OptionalDoubles(const Napi::CallbackInfo& info, size_t index, const char* name,
                              size_t length) {
  if (info[index].IsNull() || info[index].IsUndefined()) return nullptr;
  return Check(info.Env(), info[index], name, length);
}

std::vector<double> DoublesCopy(const Napi::CallbackInfo& info, size_t index, const char* name,
                                size_t length) {
  const double* from = Doubles(info, index, name, length);
  return Copied(from, length);
}

std::vector<double> RowsCopy(const Napi::CallbackInfo& info, size_t index, const char* name,
                             size_t width) {
  const Napi::Env env = info.Env();
  const size_t length = Typed(env, info[index], name).ElementLength();
  if (length == 0 || length % width != 0)
    throw Error(env, name,
                "must have one or more rows of " + std::to_string(width) + " elements; received " +
                    std::to_string(length) + " elements");
  return DoublesCopy(info, index, name, length);
}

const double* Field(const Napi::Object& object, const std::string& name, const char* field,
                    size_t* length) {
  const Napi::Env env = object.Env();
  const Napi::Value value = object.Get(field);
  const std::string path = name + "." + field;
  *length = Typed(env, value, path).ElementLength();
  return Check(env, value, path, *length);
}

std::vector<double> FieldCopy(const Napi::Object& object, const std::string& name,
                              const char* field) {
  size_t length = 0;
  const double* from = Field(object, name, field, &length);
  return Copied(from, length);
}

std::vector<uint32_t> OptionalSubset(const Napi::CallbackInfo& info, size_t index, const char* name,
                                     size_t bound) {
  const Napi::Env env = info.Env();
  const Napi::Value value = info[index];
  if (value.IsNull() || value.IsUndefined()) return {};
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array)
    throw Error(env, name, "must be a Uint32Array or null");
  const auto array = value.As<Napi::Uint32Array>();
  const uint32_t* from = array.Data();
  if (array.ElementLength() == 0 || from == nullptr)
    throw Error(env, name, "must have at least one element");
  for (size_t i = 0; i < array.ElementLength(); ++i) {
    if (from[i] >= bound || (i > 0 && from[i] <= from[i - 1]))
      throw Error(env, name,
                  "must have ascending indices below " + std::to_string(bound) + "; received " +
                      std::to_string(from[i]) + " at position " + std::to_string(i));
  }
  return Copied(from, array.ElementLength());
}

SampledSeeds Sampled(const Napi::CallbackInfo& info, size_t index, const Engine& engine,
                     std::vector<double>* signs, std::vector<double>* rows,
                     std::vector<double>* gradient) {
  const size_t count = engine.sample_count() * engine.architecture().output_size;
  SampledSeeds seeds;
  if (!info[index].IsNull()) {
    *signs = DoublesCopy(info, index, "signs", count);
    seeds.signs = signs->data();
    return seeds;
  }
  *rows = DoublesCopy(info, index + 1, "rows", count);
  *gradient = DoublesCopy(info, index + 2, "gradient", count);
  seeds.rows = rows->data();
  seeds.gradient = gradient->data();
  return seeds;
}

double Number(const Napi::CallbackInfo& info, size_t index, const char* name, double least) {
  const double value =
      info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : std::nan("");
  if (!std::isfinite(value) || value < least)
    throw Error(info.Env(), name, "must be a finite number of at least " + std::to_string(least));
  return value;
}

double Limit(const Napi::CallbackInfo& info, size_t index, const char* name) {
  const double value =
      info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(value >= 0.0)) throw Error(info.Env(), name, "must be a number of at least 0");
  return value;
}

size_t Integer(const Napi::CallbackInfo& info, size_t index, const char* name, size_t least,
               size_t most) {
  const double value =
      info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(value >= static_cast<double>(least) && value <= static_cast<double>(most)) ||
      value != std::floor(value))
    throw Error(
        info.Env(), name,
        "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return static_cast<size_t>(value);
}

bool Boolean(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsBoolean()) throw Error(info.Env(), name, "must be a boolean");
  return info[index].As<Napi::Boolean>().Value();
}

namespace {

// An addon older than the library would train without what it does not know of.
void RefuseUnknownMembers(const Napi::Object& network, const char* name) {
  const std::set<std::string> known = {"layers", "outputScale", "loss", "delta",
                                       "tau",    "smoothing",   "slots"};
  const Napi::Array names = network.GetPropertyNames();
  for (uint32_t k = 0; k < names.Length(); ++k) {
    const std::string member = names.Get(k).ToString().Utf8Value();
    if (known.count(member) == 0)
      throw Error(network.Env(), name,
                  "has " + member +
                      ", which this addon does not know: it is older than the library "
                      "(build it again: npm run build:native, npx gaussflow build)");
  }
}

}  // namespace

Architecture Network(const Napi::CallbackInfo& info, size_t index, const char* name) {
  constexpr size_t kFields = 5;  // inputs, outputs, activation, bias, factor
  const Napi::Env env = info.Env();
  if (!info[index].IsObject()) throw Error(env, name, "must be an object");
  const auto object = info[index].As<Napi::Object>();
  RefuseUnknownMembers(object, name);
  const Napi::Value table = object.Get("layers"), scale = object.Get("outputScale");
  if (!table.IsTypedArray()) throw Error(env, name, "must have layers, a Float64Array");
  const size_t length = table.As<Napi::TypedArray>().ElementLength();
  if (length == 0 || length % kFields != 0)
    throw Error(env, name, "must have layers of 5 numbers each");
  const double* fields = Check(env, table, std::string(name) + ".layers", length);
  if (!scale.IsNumber() || !std::isfinite(scale.As<Napi::Number>().DoubleValue()))
    throw Error(env, name, "must have outputScale, a finite number");

  Architecture net;
  const Napi::Value loss = object.Get("loss");
  const double kind = loss.IsNumber() ? loss.As<Napi::Number>().DoubleValue() : -1.0;
  if (!(kind >= 0.0 && kind < kLossKinds) || kind != std::floor(kind))
    throw Error(env, name, "names an unknown loss");
  const auto parameter = [&](const char* field) {
    const Napi::Value value = object.Get(field);
    if (!value.IsNumber()) throw Error(env, name, std::string("must have ") + field + ", a number");
    return value.As<Napi::Number>().DoubleValue();
  };
  net.loss = {static_cast<LossKind>(static_cast<int>(kind)), parameter("delta"), parameter("tau"),
              parameter("smoothing")};
  net.output_scale = scale.As<Napi::Number>().DoubleValue();
  for (size_t l = 0; l < length / kFields; ++l, fields += kFields) {
    for (size_t f = 0; f < 2; ++f) {
      if (!(fields[f] >= 1.0 && fields[f] <= static_cast<double>(kMostWidth)))
        throw Error(env, name, "must have layer sizes from 1 to 2147483647");
    }
    if (!(fields[2] >= 0.0 && fields[2] < kActivationCount))
      throw Error(env, name, "names an unknown activation");
    Layer layer;
    layer.inputs = static_cast<size_t>(fields[0]);
    layer.outputs = static_cast<size_t>(fields[1]);
    layer.activation = static_cast<Activation>(static_cast<int>(fields[2]));
    layer.bias = fields[3] != 0.0;
    layer.factor = fields[4];
    if (l > 0 && layer.inputs != net.layers.back().outputs)
      throw Error(env, name, "must have layers whose sizes meet");
    layer.weight_offset = net.parameter_count;
    layer.bias_offset = layer.weight_offset + layer.inputs * layer.outputs;
    net.parameter_count += layer.parameter_count();
    if (net.parameter_count > kMostWidth)
      throw Error(env, name, "must have fewer than 2^31 parameters");
    net.layers.push_back(layer);
  }
  net.input_size = net.layers.front().inputs;
  net.output_size = net.layers.back().outputs;
  if (net.output_size % net.loss.outputs_per_target() != 0)
    throw Error(env, name, "must have an even number of outputs with this loss");
  return net;
}

size_t Slots(const Napi::CallbackInfo& info, size_t index, const char* name, size_t samples) {
  const Napi::Value value = info[index].As<Napi::Object>().Get("slots");
  const double found = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0.0;
  const size_t most = std::min(samples, SlotCut::kMost);
  size_t slots = 1;
  while (slots < most && static_cast<double>(slots) < found) slots *= 2;
  if (static_cast<double>(slots) != found || slots > most)
    throw Error(info.Env(), name,
                "must have slots, a power of two of at most " + std::to_string(most));
  return slots;
}

SlotShare Share(const Napi::CallbackInfo& info, size_t index, const char* name, size_t slots) {
  if (info[index].IsNull()) return slots;
  const Napi::Env env = info.Env();
  if (!info[index].IsObject()) throw Error(env, name, "must be an object or null");
  const auto object = info[index].As<Napi::Object>();
  const auto number = [&](const char* field) {
    const Napi::Value value = object.Get(field);
    const double found = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1.0;
    return found >= 0.0 && found <= static_cast<double>(slots) ? static_cast<size_t>(found) : slots;
  };
  const size_t first = number("first"), count = number("count");
  const bool subtree = count > 0 && (count & (count - 1)) == 0 && first % count == 0;
  if (!subtree || first + count > slots)
    throw Error(env, name,
                "must have first and count, an aligned part of the " + std::to_string(slots) +
                    " slots, count a power of two");
  return {slots, first, count};
}

bool Distributed(const Napi::CallbackInfo& info, size_t index, const char* name,
                 const ExchangeCalls& calls) {
  const bool distributed = info[index].As<Napi::Object>().Get("distributed").ToBoolean();
  if (distributed && calls.factor == nullptr)
    throw Error(info.Env(), name,
                "must not be distributed: the MPI addon was built without ScaLAPACK");
  return distributed;
}

ExchangeValue Exchange(const Napi::CallbackInfo& info, size_t index, const char* name) {
  const Napi::Env env = info.Env();
  const Napi::Value value = info[index].As<Napi::Object>().Get("exchange");
  const napi_type_tag tag = {kExchangeTag[0], kExchangeTag[1]};
  bool tagged = false;
  if (!value.IsExternal() || napi_check_object_type_tag(env, value, &tag, &tagged) != napi_ok ||
      !tagged)
    throw Error(env, name, "must have exchange, as the slots of a cluster have it");
  const auto exchange = value.As<ExchangeValue>();
  const ExchangeCalls* calls = exchange.Data();
  if (calls->version != kExchangeVersion)
    throw Error(env, name,
                "must have an exchange of version " + std::to_string(kExchangeVersion) +
                    "; received one of version " + std::to_string(calls->version) +
                    ": build the MPI addon of this release");
  return exchange;
}

namespace {

FileLayout File(const Napi::CallbackInfo& info, size_t index, const char* name, size_t columns) {
  const Napi::Env env = info.Env();
  const auto object = info[index].As<Napi::Object>();
  const auto number = [&](const char* field) {
    const Napi::Value value = object.Get(field);
    const double found = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1.0;
    if (!(found >= 0.0 && found <= 9007199254740991.0) || found != std::floor(found))
      throw Error(env, name, std::string("must have ") + field + ", a whole number");
    return static_cast<uint64_t>(found);
  };
  // Beyond 2^53: nanoseconds since 1970 and, in some file systems, inodes.
  const auto big = [&](const char* field) {
    const Napi::Value value = object.Get(field);
    bool lossless = false;
    const int64_t found = value.IsBigInt() ? value.As<Napi::BigInt>().Int64Value(&lossless) : 0;
    if (!value.IsBigInt()) throw Error(env, name, std::string("must have ") + field + ", a bigint");
    return found;
  };
  const auto doubles = [&](const char* field) {
    const double* from = Check(env, object.Get(field), std::string(name) + "." + field, columns);
    return std::vector<double>(from, from + columns);
  };
  if (!object.Get("path").IsString()) throw Error(env, name, "must have path, a string");
  FileLayout layout;
  layout.path = object.Get("path").As<Napi::String>().Utf8Value();
  layout.offset = number("offset");
  layout.version.size = number("size");
  layout.version.changed = big("changed");
  layout.version.inode = static_cast<uint64_t>(big("inode"));
  layout.width = static_cast<size_t>(number("width"));
  if (layout.width < columns) throw Error(env, name, "must have width, at least the columns");
  layout.column_offset = doubles("columnOffset");
  layout.column_scale = doubles("columnScale");
  return layout;
}

}  // namespace

Status ReserveSamples(const Napi::CallbackInfo& info, size_t n, Engine* engine) {
  const size_t d = engine->architecture().input_size, c = engine->architecture().target_size();
  const bool weighted = Boolean(info, 3, "weighted");
  if (info[2].IsNull()) return engine->ReserveData(n, weighted);
  if (!info[2].IsObject()) throw Error(info.Env(), "file", "must be an object or null");
  return engine->ReserveFile(n, File(info, 2, "file", d + c), weighted);
}

size_t FillSamples(const Napi::CallbackInfo& info, size_t first, bool weighted, Engine* engine) {
  const size_t d = engine->architecture().input_size, c = engine->architecture().target_size();
  const size_t count = Integer(info, 0, "count", 1, engine->sample_count() - first);
  const bool here = !engine->data().from_file();
  const double* inputs = here ? Doubles(info, 1, "inputs", count * d) : nullptr;
  const double* targets = here ? Doubles(info, 2, "targets", count * c) : nullptr;
  const double* weights = weighted ? Doubles(info, 3, "weights", count) : nullptr;
  if (here) engine->data().Fill(first, count, inputs, targets);
  if (weighted) engine->data().FillWeights(first, count, weights);
  return count;
}

}  // namespace gaussflow::arguments
