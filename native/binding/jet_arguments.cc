// Implements the reading of terms and channels (jet_arguments.h). Everything that indexes an array
// later is checked here.
#include "jet_arguments.h"

#include <cmath>
#include <string>
#include <utility>

#include "arguments.h"

namespace gaussflow::arguments {

namespace {

constexpr size_t kMost = 2147483647;

size_t Whole(Napi::Env env, double value, const std::string& name, size_t least, size_t below) {
  if (!(value >= static_cast<double>(least) && value < static_cast<double>(below)) ||
      value != std::floor(value))
    throw Error(env, name,
                "must be a whole number from " + std::to_string(least) + " to " +
                    std::to_string(below) + " without that");
  return static_cast<size_t>(value);
}

size_t Count(const Napi::Object& object, const std::string& name, const char* field, size_t least) {
  const Napi::Value value = object.Get(field);
  const double found = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  return Whole(object.Env(), found, name + "." + field, least, kMost);
}

TapeCode Code(const Napi::Object& object, const std::string& name, size_t inputs) {
  const Napi::Env env = object.Env();
  TapeCode tape;
  tape.inputs = inputs;
  tape.constants = FieldCopy(object, name, "constants");
  const std::vector<double> code = FieldCopy(object, name, "code");
  for (size_t k = 0; k + 3 <= code.size(); k += 3)
    tape.code.push_back({static_cast<Operation>(Whole(env, code[k], name + ".code", 0,
                                                      static_cast<size_t>(kOperationCount))),
                         Whole(env, code[k + 1], name + ".code", 0, kMost),
                         Whole(env, code[k + 2], name + ".code", 0, kMost)});
  for (const double output : FieldCopy(object, name, "outputs"))
    tape.outputs.push_back(Whole(env, output, name + ".outputs", 0, kMost));
  if (code.size() % 3 != 0 || !tape.Valid())
    throw Error(env, name, "must have a tape whose instructions read what is written before");
  return tape;
}

Napi::Object TermAt(const Napi::CallbackInfo& info, size_t index, size_t t) {
  const Napi::Value value = info[index].As<Napi::Array>().Get(static_cast<uint32_t>(t));
  if (!value.IsObject())
    throw Error(info.Env(), "terms[" + std::to_string(t) + "]", "must be an object");
  return value.As<Napi::Object>();
}

JetTerm Term(const Napi::Object& object, const std::string& name, const Architecture& net,
             size_t unknowns) {
  JetChannels channels = Channels(object, name);
  const size_t points = Count(object, name, "points", 1);
  const size_t auxiliary = Count(object, name, "auxiliaryCount", 0);
  const size_t jets = net.output_size * channels.count();
  TapeCode code = Code(object, name, jets + auxiliary + unknowns);
  std::vector<uint8_t> moves(code.inputs, 1);
  std::fill_n(moves.begin() + static_cast<ptrdiff_t>(jets), auxiliary, 0);
  std::vector<double> factors = FieldCopy(object, name, "factors");
  if (factors.size() != code.outputs.size())
    throw Error(object.Env(), name + ".factors", "must have one number an output of the tape");
  return JetTerm(std::move(channels), points, auxiliary, Tape(std::move(code), moves),
                 std::move(factors));
}

}  // namespace

JetChannels Channels(const Napi::Object& object, const std::string& name) {
  constexpr size_t kOfProduct = 4;  // channel, i, j, coefficient
  const Napi::Env env = object.Env();
  JetChannels channels;
  channels.firsts = Count(object, name, "firsts", 0);
  channels.seconds.resize(Count(object, name, "seconds", 0));
  const std::vector<double> products = FieldCopy(object, name, "products");
  const std::string path = name + ".products";
  for (size_t k = 0; k + kOfProduct <= products.size(); k += kOfProduct) {
    const size_t channel = Whole(env, products[k], path, 0, channels.seconds.size());
    channels.seconds[channel].push_back({Whole(env, products[k + 1], path, 0, channels.firsts),
                                         Whole(env, products[k + 2], path, 0, channels.firsts),
                                         products[k + 3]});
  }
  return channels;
}

std::vector<JetTerm> JetTerms(const Napi::CallbackInfo& info, size_t index, const Architecture& net,
                              size_t unknowns) {
  if (!info[index].IsArray() || info[index].As<Napi::Array>().Length() == 0)
    throw Error(info.Env(), "terms", "must be an array of at least one term");
  std::vector<JetTerm> terms;
  for (uint32_t t = 0; t < info[index].As<Napi::Array>().Length(); ++t)
    terms.push_back(
        Term(TermAt(info, index, t), "terms[" + std::to_string(t) + "]", net, unknowns));
  return terms;
}

bool LoadJetTerm(const Napi::CallbackInfo& info, size_t index, size_t t, size_t input_size,
                 JetTerm* term) {
  const Napi::Object object = TermAt(info, index, t);
  const std::string name = "terms[" + std::to_string(t) + "]";
  size_t of_inputs = 0, of_auxiliary = 0;
  const double* inputs = Field(object, name, "inputs", &of_inputs);
  const double* auxiliary = Field(object, name, "auxiliary", &of_auxiliary);
  if (of_inputs != term->InputDoubles(input_size) || of_auxiliary != term->AuxiliaryDoubles())
    throw Error(info.Env(), name, "must have inputs and auxiliary of all its points");
  return term->Load(input_size, inputs, auxiliary);
}

}  // namespace gaussflow::arguments
